// What a device does with a layer beside the convolution: pooling, its way back, the update.
#pragma once

#include <cstdint>
#include <vector>

#include "engine/conv/conv_problem.h"
#include "engine/conv/range.h"
#include "engine/device/device.h"
#include "engine/tensor/elementwise.h"

namespace convoy {

// The maps of one channel of the layer's output.
MapShape output_shape(const ConvProblem& problem);

// Each works on all of the layer's channels, of some of the pictures, on the device's own computer;
// arrays as in elementwise.h, of all pictures, one channel after another. `choices` is null where
// no way back follows. The bias' gradient is begun with picture 0 and added to with later ones. All
// throw Interrupted when stopped.
void pool_layer(Device& device, const ConvProblem& problem, Range pictures, const float* maps,
                const float* bias, float* pooled, std::uint8_t* choices, const StopToken* stop);
void unpool_layer(Device& device, const ConvProblem& problem, Range pictures,
                  const float* grad_pooled, const std::uint8_t* choices, float* grad_maps,
                  float* grad_bias, const StopToken* stop);
void update_weights(Device& device, const SgdFactors& factors, const float* gradient,
                    std::size_t count, float* velocity, float* weight, const StopToken* stop);

}  // namespace convoy
