// Pictures as the network takes them: scaled to [0,1], normalised by channel, batch innermost.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "datasets/image_set.h"
#include "engine/base/thread_pool.h"
#include "engine/tensor/buffer.h"

namespace convoy {

// By channel, of pixels scaled to [0,1]. A channel that never varies gets deviation 1.
struct Normalisation {
  std::vector<double> mean, deviation;
};
Normalisation normalisation_of(const ImageSet& images);

// One batch in memory that is filled again and again. Not synchronised.
class Batch {
 public:
  // Keeps references to `images` and `pool`.
  Batch(const ImageSet& images, const Normalisation& normalisation, int size, ThreadPool& pool);

  // Picture `order[first + n]` at place n; places from `count` on are zeros with label 0.
  void load(const std::vector<int>& order, std::size_t first, int count);
  const float* pixels() const { return pixels_.data(); }  // [channels][height][width][batch]
  const std::uint16_t* labels() const { return labels_.data(); }

 private:
  const ImageSet& images_;
  ThreadPool& pool_;
  std::vector<std::array<float, 256>> value_of_;  // [channel][8-bit pixel]
  std::size_t size_;
  FloatBuffer pixels_;
  std::vector<std::uint16_t> labels_;
};

// 0, 1, ..., count - 1, shuffled by the seed and the epoch (Fisher and Yates) when asked to.
std::vector<int> epoch_order(int count, bool shuffle, std::uint64_t seed, int epoch);

}  // namespace convoy
