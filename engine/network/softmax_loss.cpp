#include "engine/network/softmax_loss.h"

#include <cmath>
#include <string>

#include "engine/base/error.h"

namespace convoy {

SoftmaxLoss::SoftmaxLoss(std::size_t classes, std::size_t batch, ThreadPool& pool)
    : classes_(classes), batch_(batch), pool_(pool), losses_(batch), correct_(batch) {}

SoftmaxLoss::Result SoftmaxLoss::evaluate(float* logits, const std::uint16_t* labels,
                                          std::size_t count, bool gradient) {
  for (std::size_t n = 0; n < count; ++n)
    if (labels[n] >= classes_)
      throw Error(ErrorKind::kData, "labels",
                  "picture " + std::to_string(n) + " of the batch has label " +
                      std::to_string(labels[n]) + "; the network has classes 0 to " +
                      std::to_string(classes_ - 1));

  constexpr std::size_t kCacheLine = 16;  // floats
  pool_.parallel_ranges(count, kCacheLine, [&](std::size_t begin, std::size_t end, int) {
    for (std::size_t n = begin; n < end; ++n) {
      const auto logit = [&](std::size_t c) -> float& { return logits[c * batch_ + n]; };
      std::size_t best = 0;
      for (std::size_t c = 1; c < classes_; ++c)
        if (logit(c) > logit(best)) best = c;
      const double most = static_cast<double>(logit(best));
      double sum = 0.0;
      for (std::size_t c = 0; c < classes_; ++c)
        sum += std::exp(static_cast<double>(logit(c)) - most);
      const std::size_t label = labels[n];
      losses_[n] = std::log(sum) + (most - static_cast<double>(logit(label)));
      correct_[n] = best == label;
      if (!gradient) continue;
      const double per_picture = 1.0 / static_cast<double>(count);
      for (std::size_t c = 0; c < classes_; ++c) {
        const double probability = std::exp(static_cast<double>(logit(c)) - most) / sum;
        logit(c) = static_cast<float>((probability - (c == label ? 1.0 : 0.0)) * per_picture);
      }
    }
  });

  Result result;
  for (std::size_t n = 0; n < count; ++n) {
    result.loss += losses_[n];
    result.correct += correct_[n];
  }
  if (count > 0) result.loss /= static_cast<double>(count);
  return result;
}

}  // namespace convoy
