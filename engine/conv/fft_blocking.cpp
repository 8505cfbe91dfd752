#include "engine/conv/fft_blocking.h"

#include <algorithm>

#include "engine/base/rounding.h"
#include "engine/conv/fft_product.h"
#include "engine/conv/fft_transform.h"

namespace convoy {
namespace {

// Parts of a product that stay in a core's second-level cache together with their sums.
constexpr std::size_t kProductSide = 512;
// Kernels whose spectra are computed, used and forgotten together. More would only take memory;
// fewer make the products less efficient, which from kFewKernels on is hardly to be measured. So
// there are fewer where the spectra of a block would be large.
constexpr std::size_t kKernels = 512, kFewKernels = 192;
constexpr std::size_t kBlockBytes = std::size_t{384} << 20;
constexpr std::size_t kLineFloats = 16;  // of a cache line

void set_products(Pass pass, FftBlocking* b) {
  const std::size_t rows = pass == Pass::kBackwardData ? b->channels : b->kernels;
  const std::size_t columns = pass == Pass::kBackwardWeights ? b->channels : b->columns;
  const std::size_t inner = pass == Pass::kForward        ? b->channels
                            : pass == Pass::kBackwardData ? b->kernels
                                                          : b->columns;
  const auto part = [](std::size_t side) { return ceil_div(side, ceil_div(side, kProductSide)); };
  b->product_rows = part(rows);
  b->product_columns = FftBlocking::row_stride(part(columns));
  const std::size_t product = fft_product_work(b->product_columns, inner);
  // A transform's work space, a gathered tile and the staged run; never at the same time as a
  // product.
  const std::size_t transform = b->geometry.planes() * (2 * kFftLanes + kFftRunStride);
  b->thread_floats = FftBlocking::row_stride(std::max(product, transform));
}

}  // namespace

std::size_t FftBlocking::row_stride(std::size_t elements) {
  return round_up(elements, kLineFloats);
}

std::size_t FftBlocking::plane_stride(std::size_t rows, std::size_t columns) {
  return (rows * row_stride(columns) / kLineFloats | 1) * kLineFloats;
}

std::size_t FftBlocking::shared_floats(Operand operand) const {
  if (limited) return 0;
  switch (operand) {
    case Operand::kInput:
      return input_floats();
    case Operand::kWeight:
      return kernel_blocks * weight_floats();
    case Operand::kGradOutput:
      return kernel_blocks * output_floats();
  }
  return 0;
}

std::size_t FftBlocking::scratch_bytes(int threads) const {
  const auto has = [&](Operand operand) { return shared[static_cast<std::size_t>(operand)]; };
  std::size_t floats = static_cast<std::size_t>(threads) * thread_floats;
  if (!has(Operand::kInput)) floats += input_floats();
  if (!has(Operand::kWeight)) floats += weight_floats();
  if (!has(Operand::kGradOutput)) floats += output_floats();
  return sizeof(float) * floats;
}

std::optional<FftBlocking> choose_fft_blocking(const ConvProblem& problem, Pass pass, int threads,
                                               std::size_t scratch_limit, OperandSet shared) {
  FftBlocking b;
  b.geometry = choose_fft_geometry(problem);
  b.shared = shared;
  b.channels = static_cast<std::size_t>(problem.in_channels);
  const auto kernels = static_cast<std::size_t>(problem.out_channels);
  const std::size_t columns =
      static_cast<std::size_t>(b.geometry.tiles()) * static_cast<std::size_t>(problem.batch);
  b.kernel_blocks = ceil_div(kernels, kKernels);
  // The same for all passes, so that they can share.
  const auto block_bytes = [&](std::size_t blocks) {
    const std::size_t block = ceil_div(kernels, blocks);
    return sizeof(float) * b.geometry.planes() *
           (FftBlocking::plane_stride(block, b.channels) +
            FftBlocking::plane_stride(block, columns));
  };
  while (ceil_div(kernels, b.kernel_blocks) > kFewKernels &&
         block_bytes(b.kernel_blocks) > kBlockBytes)
    ++b.kernel_blocks;
  for (;;) {
    b.kernels = ceil_div(kernels, b.kernel_blocks);
    b.columns = ceil_div(columns, b.column_blocks);
    set_products(pass, &b);
    if (b.scratch_bytes(threads) <= scratch_limit) return b;
    if (shared.any()) return std::nullopt;
    b.limited = true;
    // Columns share the transforms of the weights, so they are divided last, but for products of
    // a handful of kernels.
    if (b.kernels > 128)
      b.kernel_blocks *= 2;
    else if (b.columns > 128)
      b.column_blocks *= 2;
    else if (b.kernels > 1)
      b.kernel_blocks = std::min(kernels, 2 * b.kernel_blocks);
    else if (b.columns > 1)
      b.column_blocks = std::min(columns, 2 * b.column_blocks);
    else
      return std::nullopt;
  }
}

FftGeometry choose_fft_geometry(const ConvProblem& p, bool fixed_lanes) {
  const auto sizes = [](int input, int output, int kernel, int padding) {
    std::vector<FftAxis> axes;
    for (int size = kernel; size <= kLargestFft; ++size)
      if (const auto axis = make_fft_axis(size, input, output, kernel, padding))
        axes.push_back(*axis);
    return axes;
  };
  const double channels = p.in_channels, kernels = p.out_channels, batch = p.batch;
  FftGeometry best;
  double least = 0;
  for (const FftAxis& v : sizes(p.in_height, p.out_height(), p.kernel_height, p.padding.top))
    for (const FftAxis& h : sizes(p.in_width, p.out_width(), p.kernel_width, p.padding.left)) {
      const FftGeometry geometry{v, h};
      const double columns = geometry.tiles() * batch;
      // Of batches that fill the lanes nearly all of them count.
      const double lanes = fixed_lanes && p.batch < static_cast<int>(kFftLanes)
                               ? static_cast<double>(fft_lanes_of_map(p.batch, geometry.tiles()))
                               : columns;
      const double products = 2 * geometry.products() * channels * kernels * columns;
      // A transformed element costs two short sums and its way through memory and back: 0.4 to 0.7
      // ns where the products do a hundred operations in one.
      const double elements = static_cast<double>(geometry.planes()) *
                              (channels * kernels + (channels + kernels) * lanes);
      const double work = products + elements * (v.size + h.size + 30);
      if (best.vertical.size == 0 || work < least) {
        best = geometry;
        least = work;
      }
    }
  return best;
}

}  // namespace convoy
