// Softmax with cross-entropy, the mean over a batch.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "engine/base/thread_pool.h"

namespace convoy {

// Not synchronised. Sums in double and in the order of the pictures, so that the loss is the same
// for any number of threads.
class SoftmaxLoss {
 public:
  SoftmaxLoss(std::size_t classes, std::size_t batch, ThreadPool& pool);

  struct Result {
    double loss = 0.0;  // mean, natural logarithm
    int correct = 0;    // the first largest logit is the label's
  };
  // logits [classes][batch]; only the first `count` pictures are looked at. With `gradient`, the
  // logits are overwritten with the gradient of the loss (`count` must then be the batch). Throws
  // Error(kData) when a label is no class.
  Result evaluate(float* logits, const std::uint16_t* labels, std::size_t count, bool gradient);

 private:
  std::size_t classes_, batch_;
  ThreadPool& pool_;
  std::vector<double> losses_;         // per picture
  std::vector<std::uint8_t> correct_;  // per picture, 0 or 1
};

}  // namespace convoy
