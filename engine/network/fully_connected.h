// The fully connected layer from the last block's maps to the classes.
//
// features [features][batch], logits and grad_logits [classes][batch], weight [classes][features].
// OpenBLAS computes with one thread a call; the pool's threads each do products over their own
// ranges of features; with few classes, those of the way back by thin_backward.h. The ranges and
// the order in which partial sums are added depend on the sizes alone, so the result is the same
// for any number of threads.
#pragma once

#include <cstddef>

#include "engine/base/thread_pool.h"
#include "engine/tensor/buffer.h"

namespace convoy {

// Not synchronised; owns scratch for one call at a time.
class FullyConnected {
 public:
  // `pool` must outlive the layer.
  FullyConnected(std::size_t features, std::size_t classes, std::size_t batch, ThreadPool& pool);

  void forward(const float* features, const FloatBuffer& weight, const FloatBuffer& bias,
               float* logits);
  // Overwrites `features` with their gradient.
  void backward(const float* grad_logits, const FloatBuffer& weight, float* features,
                FloatBuffer& grad_weight, FloatBuffer& grad_bias);

 private:
  std::size_t range_begin(std::size_t range) const;

  std::size_t features_, classes_, batch_;
  bool thin_;  // on the way back
  ThreadPool& pool_;
  std::size_t range_size_;  // features
  std::size_t ranges_;
  FloatBuffer partial_logits_;  // [ranges][classes][batch]
};

}  // namespace convoy
