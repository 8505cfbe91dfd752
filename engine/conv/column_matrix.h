// The column matrix (im2col.h) of maps that lie in memory, of which blocks are made as they are
// needed.
#pragma once

#include <cstddef>

#include "engine/conv/conv_problem.h"

namespace convoy {

// Columns that are packed at once, at most.
constexpr std::size_t kMostColumns = 256;

// A row for every (channel, i, j), a column for every (y, x, picture).
struct ColumnMatrix {
  const float* input;              // [channels][height][line]
  std::ptrdiff_t height, line;     // of a map; a line is width * batch floats
  std::ptrdiff_t batch, out_line;  // out_line: out_width * batch columns
  std::ptrdiff_t kernel_height, kernel_width;
  std::ptrdiff_t stride_height, stride_width;
  std::ptrdiff_t top, left;  // padding; negative where the maps' edges are never read

  bool turned;  // rows (channel, i, j) take the tap opposite to (i, j)

  std::ptrdiff_t map() const { return height * line; }
  std::ptrdiff_t taps() const { return kernel_height * kernel_width; }
};

// The one whose product with the weights is the output.
inline ColumnMatrix columns_of_input(const ConvProblem& p, const float* input) {
  const std::ptrdiff_t batch = p.batch;
  return {input,          p.in_height,           p.in_width * batch,
          batch,          p.out_width() * batch, p.kernel_height,
          p.kernel_width, p.stride_height,       p.stride_width,
          p.padding.top,  p.padding.left,        false};
}

// The one whose product with the kernels is the gradient of the input; for stride 1.
inline ColumnMatrix columns_of_grad_output(const ConvProblem& p, const float* grad_output) {
  const std::ptrdiff_t batch = p.batch;
  return {grad_output,
          p.out_height(),
          p.out_width() * batch,
          batch,
          p.in_width * batch,
          p.kernel_height,
          p.kernel_width,
          1,
          1,
          p.kernel_height - 1 - p.padding.top,
          p.kernel_width - 1 - p.padding.left,
          true};
}

}  // namespace convoy
