// How the fft convolution divides its work so that its spectra fit the scratch.
#pragma once

#include <cstddef>
#include <optional>

#include "engine/conv/conv_problem.h"
#include "engine/conv/fft_geometry.h"

namespace convoy {

// The spectra that a pass holds at once, one plane after the other:
//   input   planes x in_channels x columns
//   weight  planes x kernels x in_channels
//   output  planes x kernels x columns
// where a column is one image of one tile, [tile][image]. The gradients have the shapes of what
// they are gradients of. The input channels are never divided.
struct FftBlocking {
  FftGeometry geometry;
  std::size_t channels = 0, kernels = 0, columns = 0;  // of the largest block
  std::size_t kernel_blocks = 1, column_blocks = 1;
  std::size_t product_rows = 0, product_columns = 0;  // of one task of the products
  std::size_t thread_floats = 0;

  // From one plane to the next. An odd number of cache lines: neighbouring planes are written
  // together, and powers of two would have them share a few sets of each cache.
  static std::size_t plane_stride(std::size_t elements);
  std::size_t input_floats() const { return geometry.planes() * plane_stride(channels * columns); }
  std::size_t weight_floats() const { return geometry.planes() * plane_stride(kernels * channels); }
  std::size_t output_floats() const { return geometry.planes() * plane_stride(kernels * columns); }
  std::size_t scratch_bytes(int threads) const;
};

// Lanes that a task transforms before it writes them: runs of whole cache lines in every plane.
inline constexpr std::size_t kFftRun = 128;
inline constexpr std::size_t kFftRunStride = kFftRun + 16;  // not a power of two

// Nothing when the smallest block does not fit `scratch_limit` bytes.
std::optional<FftBlocking> choose_fft_blocking(const ConvProblem& problem, Pass pass, int threads,
                                               std::size_t scratch_limit);

// The geometry with the least work for this problem; stride 1 and kernels up to kLargestFftKernel.
FftGeometry choose_fft_geometry(const ConvProblem& problem);

}  // namespace convoy
