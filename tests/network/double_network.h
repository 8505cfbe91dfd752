// The loss of a network in double precision, written from its definition: what the engine's
// gradients are held against by finite differences.
#pragma once

#include <cstdint>
#include <vector>

#include "engine/network/network_spec.h"
#include "engine/network/parameters.h"

namespace convoy {

struct DoubleParameters {
  struct Layer {
    std::vector<double> weight, bias;
  };
  explicit DoubleParameters(const Parameters& parameters);

  std::vector<Layer> layers;  // the convolutional ones, then the fully connected
};

// images: [channels][height][width][batch], as in the engine.
double double_loss(const NetworkSpec& spec, const DoubleParameters& parameters,
                   const std::vector<float>& images, const std::vector<std::uint16_t>& labels);

}  // namespace convoy
