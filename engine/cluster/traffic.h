// What one training step moves between the master and one device, in bytes: closed formulas.
#pragma once

#include <cstdint>

#include "engine/cluster/distribution_options.h"
#include "engine/conv/conv_problem.h"

namespace convoy {

// Of one device's part of one layer. The first four travel to the device, the others back.
struct PartTraffic {
  std::uint64_t input = 0, weight = 0, bias = 0, grad_output = 0;
  std::uint64_t output = 0, grad_weight = 0, grad_bias = 0, grad_input = 0;

  std::uint64_t received() const { return input + weight + bias + grad_output; }
  std::uint64_t sent() const { return output + grad_weight + grad_bias + grad_input; }
};

// `part` is the layer with the device's kernels and pictures, `split` how the layer is divided
// (never kAuto). Numbers take wire_size() bytes, biases and their gradients always four. With
// fuse_pooling maps of the output are pooled ones; with resident kernels the parts of a layer that
// is split by kernels keep weight and bias.
PartTraffic part_traffic(const ConvProblem& part, SplitMode split, bool needs_grad_input,
                         const DistributionOptions& options);

}  // namespace convoy
