#include "engine/training/batches.h"

#include <cmath>
#include <numeric>
#include <utility>

#include "engine/base/random.h"

namespace convoy {

Normalisation normalisation_of(const ImageSet& images) {
  const std::size_t area =
      static_cast<std::size_t>(images.height) * static_cast<std::size_t>(images.width);
  Normalisation result;
  for (int channel = 0; channel < images.channels; ++channel) {
    // A histogram makes the sums exact, whatever the number of pictures.
    std::array<std::uint64_t, 256> histogram{};
    for (int i = 0; i < images.count(); ++i) {
      const auto plane = images.image(i).subspan(static_cast<std::size_t>(channel) * area, area);
      for (const std::uint8_t pixel : plane) ++histogram[pixel];
    }
    double count = 0.0, sum = 0.0, squares = 0.0;
    for (std::size_t pixel = 0; pixel < 256; ++pixel) {
      const double n = static_cast<double>(histogram[pixel]), value = static_cast<double>(pixel);
      count += n;
      sum += n * value;
      squares += n * value * value;
    }
    const double mean = sum / count;
    const double variance = std::max(0.0, squares / count - mean * mean);
    result.mean.push_back(mean / 255.0);
    result.deviation.push_back(variance > 0.0 ? std::sqrt(variance) / 255.0 : 1.0);
  }
  return result;
}

Batch::Batch(const ImageSet& images, const Normalisation& normalisation, int size, ThreadPool& pool)
    : images_(images),
      pool_(pool),
      size_(static_cast<std::size_t>(size)),
      pixels_(images.image_size() * static_cast<std::size_t>(size)),
      labels_(static_cast<std::size_t>(size)) {
  for (std::size_t channel = 0; channel < normalisation.mean.size(); ++channel) {
    auto& values = value_of_.emplace_back();
    for (std::size_t pixel = 0; pixel < 256; ++pixel)
      values[pixel] =
          static_cast<float>((static_cast<double>(pixel) / 255.0 - normalisation.mean[channel]) /
                             normalisation.deviation[channel]);
  }
}

void Batch::load(const std::vector<int>& order, std::size_t first, int count) {
  const auto valid = static_cast<std::size_t>(count);
  for (std::size_t n = 0; n < size_; ++n)
    labels_[n] = n < valid ? images_.labels[static_cast<std::size_t>(order[first + n])] : 0;
  const std::size_t area =
      static_cast<std::size_t>(images_.height) * static_cast<std::size_t>(images_.width);
  constexpr std::size_t kLine = 64;  // pixels that are read from one picture at a time
  pool_.parallel_ranges(images_.image_size(), kLine, [&](std::size_t begin, std::size_t end, int) {
    for (std::size_t line = begin; line < end; line += kLine) {
      const std::size_t line_end = std::min(line + kLine, end);
      for (std::size_t n = 0; n < size_; ++n) {
        if (n >= valid) {
          for (std::size_t at = line; at < line_end; ++at) pixels_[at * size_ + n] = 0.0F;
          continue;
        }
        const auto picture = images_.image(order[first + n]);
        for (std::size_t at = line; at < line_end; ++at)
          pixels_[at * size_ + n] = value_of_[at / area][picture[at]];
      }
    }
  });
}

std::vector<int> epoch_order(int count, bool shuffle, std::uint64_t seed, int epoch) {
  std::vector<int> order(static_cast<std::size_t>(count));
  std::iota(order.begin(), order.end(), 0);
  if (!shuffle) return order;
  // The odd constant (2^64 over the golden ratio) keeps the epochs of neighbouring seeds apart.
  Random random(seed + 0x9e3779b97f4a7c15ULL * static_cast<std::uint64_t>(epoch));
  for (std::size_t i = order.size(); i > 1; --i) std::swap(order[i - 1], order[random.below(i)]);
  return order;
}

}  // namespace convoy
