// A network's weights, in PyTorch's shapes and order.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "engine/network/network_spec.h"
#include "engine/tensor/buffer.h"

namespace convoy {

struct ConvParameters {
  FloatBuffer weight;  // [out_channels][in_channels][kernel_height][kernel_width]
  FloatBuffer bias;    // [out_channels]
};

struct Parameters {
  std::vector<ConvParameters> conv;
  FloatBuffer fc_weight;  // [classes][features], features in channel, row, column order
  FloatBuffer fc_bias;    // [classes]

  // Right sizes, zeros.
  static Parameters zeros(const NetworkSpec& spec);
  // He et al. 2015: normal with variance 2 / fan_in for weights (1 / fan_in for the last layer,
  // which no ReLU follows), zero biases. The same seed gives the same weights.
  static Parameters he(const NetworkSpec& spec, std::uint64_t seed);
  Parameters copy() const;
};

struct SgdSettings {
  double learning_rate = 0.01;
  double momentum = 0.9;
  double weight_decay = 0.0;
  bool operator==(const SgdSettings&) const = default;
};

}  // namespace convoy
