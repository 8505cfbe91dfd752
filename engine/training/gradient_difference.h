// How far a distributed step's gradients are from those of the same step on one device.
#pragma once

#include "engine/network/parameters.h"

namespace convoy {

// The largest difference of any two numbers of a tensor relative to the tensor's largest magnitude
// in `reference` (0 where both are all zeros), over all tensors. What rounding leaves when sums are
// formed in another order is some 1e-6; where it lets another value of a pooling window win, whose
// gradient then flows elsewhere, it may be 1e-3.
double gradient_difference(const Parameters& gradients, const Parameters& reference);

}  // namespace convoy
