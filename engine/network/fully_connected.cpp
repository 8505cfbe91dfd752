#include "engine/network/fully_connected.h"

#include <algorithm>

#include "engine/network/thin_layer.h"
#include "engine/tensor/blas.h"

namespace convoy {

namespace {

// Ranges of few features waste a product's start-up, many ranges the memory of partial sums.
constexpr std::size_t kLeastRange = 256, kMostRanges = 64;

// What thin_layer.h is faster with than general products (measured).
constexpr std::size_t kMostThinClasses = 32, kLeastThinBatch = 32;

}  // namespace

FullyConnected::FullyConnected(std::size_t features, std::size_t classes, std::size_t batch,
                               ThreadPool& pool)
    : features_(features),
      classes_(classes),
      batch_(batch),
      thin_(classes <= kMostThinClasses && batch >= kLeastThinBatch),
      pool_(pool) {
  range_size_ = std::max(kLeastRange, (features + kMostRanges - 1) / kMostRanges);
  ranges_ = (features + range_size_ - 1) / range_size_;
  partial_logits_.resize(ranges_ * classes * batch);
}

std::size_t FullyConnected::range_begin(std::size_t range) const {
  return std::min(features_, range * range_size_);
}

void FullyConnected::forward(const float* features, const FloatBuffer& weight,
                             const FloatBuffer& bias, float* logits) {
  const std::size_t logits_size = classes_ * batch_;
  pool_.parallel_for(ranges_, [&](std::size_t range, int) {
    const std::size_t begin = range_begin(range), count = range_begin(range + 1) - begin;
    float* const partial = partial_logits_.data() + range * logits_size;
    if (thin_) {
      thin_forward({count, classes_, batch_, features_}, features + begin * batch_,
                   weight.data() + begin, partial);
      return;
    }
    sgemm(Transpose::kNo, Transpose::kNo, classes_, batch_, count, weight.data() + begin, features_,
          features + begin * batch_, batch_, 0.0f, partial, batch_);
  });
  pool_.parallel_for(classes_, [&](std::size_t c, int) {
    float* sum = logits + c * batch_;
    std::fill_n(sum, batch_, bias[c]);
    for (std::size_t range = 0; range < ranges_; ++range) {
      const float* partial = partial_logits_.data() + range * logits_size + c * batch_;
      for (std::size_t n = 0; n < batch_; ++n) sum[n] += partial[n];
    }
  });
}

void FullyConnected::backward(const float* grad_logits, const FloatBuffer& weight, float* features,
                              FloatBuffer& grad_weight, FloatBuffer& grad_bias) {
  pool_.parallel_for(ranges_, [&](std::size_t range, int) {
    const std::size_t begin = range_begin(range), count = range_begin(range + 1) - begin;
    float* own_features = features + begin * batch_;
    if (thin_) {
      thin_backward({count, classes_, batch_, features_}, grad_logits, weight.data() + begin,
                    own_features, grad_weight.data() + begin);
      return;
    }
    sgemm(Transpose::kNo, Transpose::kYes, classes_, count, batch_, grad_logits, batch_,
          own_features, batch_, 0.0f, grad_weight.data() + begin, features_);
    sgemm(Transpose::kYes, Transpose::kNo, count, batch_, classes_, weight.data() + begin,
          features_, grad_logits, batch_, 0.0f, own_features, batch_);
  });
  for (std::size_t c = 0; c < classes_; ++c) {
    double sum = 0.0;
    for (std::size_t n = 0; n < batch_; ++n)
      sum += static_cast<double>(grad_logits[c * batch_ + n]);
    grad_bias[c] = static_cast<float>(sum);
  }
}

}  // namespace convoy
