// How a convolution of spectra divides its work so that its spectra fit the scratch.
#pragma once

#include <cstddef>
#include <optional>

#include "engine/conv/conv_algorithm.h"
#include "engine/conv/conv_problem.h"
#include "engine/conv/conv_spectrum.h"

namespace convoy {

// The spectra that a pass holds at once, one plane after the other:
//   input   planes x in_channels x columns
//   weight  planes x kernels x in_channels
//   output  planes x kernels x columns
// where a column is one image of one tile, [tile][image], and every row begins on a cache line. The
// gradients have the shapes of what they are gradients of. The input channels are never divided.
//
// The spectra of shared operands are whole, beside the scratch, one block of kernels after the
// other. All passes divide the kernels alike then, and nobody divides the columns.
struct SpectralBlocking {
  SpectrumShape shape;
  OperandSet shared;
  std::size_t channels = 0, kernels = 0, columns = 0;  // of the largest block
  std::size_t kernel_blocks = 1, column_blocks = 1;
  bool limited = false;  // more blocks than with all the scratch there could be
  std::size_t product_rows = 0, product_columns = 0;  // of one task of the products
  std::size_t thread_floats = 0;

  // From one row to the next. Long rows are an odd number of cache lines apart, so that those that
  // are packed together lie in different sets of each cache.
  static std::size_t row_stride(std::size_t elements);
  // From one plane to the next. An odd number of cache lines: neighbouring planes are written
  // together, and powers of two would have them share a few sets of each cache.
  static std::size_t plane_stride(std::size_t rows, std::size_t columns);
  std::size_t input_floats() const { return shape.planes * plane_stride(channels, columns); }
  std::size_t weight_floats() const { return shape.planes * plane_stride(kernels, channels); }
  std::size_t output_floats() const { return shape.planes * plane_stride(kernels, columns); }
  // Of an operand's whole spectrum; 0 where the passes could not share it.
  std::size_t shared_floats(Operand operand) const;
  std::size_t scratch_bytes(int threads) const;
};

// Nothing when the smallest block does not fit `scratch_limit` bytes, or when what is shared would
// have to be divided.
std::optional<SpectralBlocking> choose_spectral_blocking(const SpectrumShape& shape,
                                                         const ConvProblem& problem, Pass pass,
                                                         int threads, std::size_t scratch_limit,
                                                         OperandSet shared);

}  // namespace convoy
