// The matrix products of a fully connected layer to few classes.
//
// A general matrix product copies its operands into an order of its own first, which pays where
// each is used hundreds of times; with ten classes the copying takes longer than the product. Here
// every feature is read once, from where it lies, for all classes. Thread-safe on distinct outputs.
#pragma once

#include <cstddef>

namespace convoy {

// With more classes than this a general product is faster.
inline constexpr std::size_t kMostThinClasses = 32;

// A run of `count` features. Matrices: features [count][batch], logits [classes][batch], weight
// [classes][weight_stride], of whose rows the first `count` columns are looked at.
struct ThinLayer {
  std::size_t count = 0, classes = 0, batch = 0, weight_stride = 0;
};

// logits = weight * features
void thin_forward(const ThinLayer& layer, const float* weight, const float* features,
                  float* logits);

// grad_weight = grad_logits * features^T; then features = weight^T * grad_logits.
void thin_backward(const ThinLayer& layer, const float* grad_logits, const float* weight,
                   float* features, float* grad_weight);

}  // namespace convoy
