// From the arrays that `convoy conv` is given to the convolution that they describe.
#pragma once

#include <optional>
#include <utility>
#include <vector>

#include "app/cli/conv_options.h"
#include "engine/conv/conv_problem.h"

namespace convoy::cli {

using Shape = std::vector<std::size_t>;

struct ConvShapes {
  Pass pass = Pass::kForward;
  // Of the pass's operands, in PyTorch's order; the other one is absent.
  std::optional<Shape> input, weight, grad_output;
  PaddingOption padding{"0"};
  std::pair<int, int> stride{1, 1};
  std::optional<std::pair<int, int>> input_size, kernel_size;
};

// The convolution of all kernels. Sizes that are not given are taken where only one fits. Throws
// Error(kUsage) that names both shapes where they do not fit, and the option where a size is
// needed; Error(kExperiment) for sizes that no convolution has.
ConvProblem conv_problem_of(const ConvShapes& shapes);

}  // namespace convoy::cli
