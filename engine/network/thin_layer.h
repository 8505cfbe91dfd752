// A fully connected layer to few classes, both ways.
//
// A general matrix product first copies its operands into an order of its own, which pays where
// each is used hundreds of times; with ten classes it takes about half of the time. Here every
// feature is read once, from where it lies, for all classes and, on the way back, both gradients.
// Thread-safe on distinct outputs.
#pragma once

#include <cstddef>

namespace convoy {

// A run of `count` features. Matrices: features [count][batch], logits and grad_logits
// [classes][batch], weight and grad_weight [classes][weight_stride], of whose rows the first
// `count` columns are looked at.
struct ThinLayer {
  std::size_t count = 0, classes = 0, batch = 0, weight_stride = 0;
};

// Both are faster than general products up to some dozens of classes, from batches of 32 on.

// logits = weight * features.
void thin_forward(const ThinLayer& layer, const float* features, const float* weight,
                  float* logits);

// grad_weight = grad_logits * features^T; then features = weight^T * grad_logits.
void thin_backward(const ThinLayer& layer, const float* grad_logits, const float* weight,
                   float* features, float* grad_weight);

}  // namespace convoy
