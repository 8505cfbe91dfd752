#include "engine/conv/spectral_blocking.h"

#include <algorithm>

#include "engine/base/rounding.h"
#include "engine/conv/spectral_product.h"

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
constexpr std::size_t kShortLines = 8;   // of a row that another line would make much longer

void set_products(Pass pass, SpectralBlocking* b) {
  const std::size_t rows = pass == Pass::kBackwardData ? b->channels : b->kernels;
  const std::size_t columns = pass == Pass::kBackwardWeights ? b->channels : b->columns;
  const std::size_t inner = pass == Pass::kForward        ? b->channels
                            : pass == Pass::kBackwardData ? b->kernels
                                                          : b->columns;
  const auto part = [](std::size_t side) { return ceil_div(side, ceil_div(side, kProductSide)); };
  b->product_rows = part(rows);
  b->product_columns = round_up(part(columns), kLineFloats);
  const std::size_t product = spectral_product_work(b->product_columns, inner);
  b->thread_floats = round_up(std::max(product, b->shape.work_floats), kLineFloats);
}

}  // namespace

std::size_t SpectralBlocking::row_stride(std::size_t elements) {
  const std::size_t lines = ceil_div(elements, kLineFloats);
  return (lines < kShortLines ? lines : lines | 1) * kLineFloats;
}

std::size_t SpectralBlocking::plane_stride(std::size_t rows, std::size_t columns) {
  return (rows * row_stride(columns) / kLineFloats | 1) * kLineFloats;
}

std::size_t SpectralBlocking::shared_floats(Operand operand) const {
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

std::size_t SpectralBlocking::scratch_bytes(int threads) const {
  const auto has = [&](Operand operand) { return shared[static_cast<std::size_t>(operand)]; };
  std::size_t floats = static_cast<std::size_t>(threads) * thread_floats;
  if (!has(Operand::kInput)) floats += input_floats();
  if (!has(Operand::kWeight)) floats += weight_floats();
  if (!has(Operand::kGradOutput)) floats += output_floats();
  return sizeof(float) * floats;
}

std::optional<SpectralBlocking> choose_spectral_blocking(const SpectrumShape& shape,
                                                         const ConvProblem& problem, Pass pass,
                                                         int threads, std::size_t scratch_limit,
                                                         OperandSet shared) {
  SpectralBlocking b;
  b.shape = shape;
  b.shared = shared;
  b.channels = static_cast<std::size_t>(problem.in_channels);
  const auto kernels = static_cast<std::size_t>(problem.out_channels);
  const std::size_t columns = shape.tiles * static_cast<std::size_t>(problem.batch);
  b.kernel_blocks = ceil_div(kernels, kKernels);
  // The same for all passes, so that they can share.
  const auto block_bytes = [&](std::size_t blocks) {
    const std::size_t block = ceil_div(kernels, blocks);
    return sizeof(float) * b.shape.planes *
           (SpectralBlocking::plane_stride(block, b.channels) +
            SpectralBlocking::plane_stride(block, columns));
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

}  // namespace convoy
