// The shape of a network: one block for each entry of `kernels` (convolution, bias, ReLU, 2x2
// max-pooling), then one fully connected layer to the classes, softmax and cross-entropy.
#pragma once

#include <string>
#include <vector>

#include "engine/conv/conv_problem.h"

namespace convoy {

enum class PaddingMode { kValid, kSame };

// What a person chooses.
struct NetworkDesign {
  std::vector<int> kernels = {16, 32};
  int kernel_size = 5;
  PaddingMode padding = PaddingMode::kValid;
  bool operator==(const NetworkDesign&) const = default;
};

// "500:1500", the paper's way to name a network.
std::string network_name(const NetworkDesign& design);

// The design on pictures of a certain shape.
struct NetworkSpec {
  NetworkDesign design;
  int in_channels = 3, in_height = 32, in_width = 32;
  int classes = 10;

  // The convolutional layers, first to last. Pooling halves height and width, rounding down. Throws
  // Error(kExperiment) that names the layer where the maps become smaller than the kernel or
  // vanish.
  std::vector<ConvProblem> conv_problems(int batch) const;
  // Inputs of the fully connected layer: the last block's pooled maps.
  std::size_t features() const;
};

}  // namespace convoy
