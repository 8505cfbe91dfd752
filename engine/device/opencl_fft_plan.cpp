#include "engine/device/opencl_fft_plan.h"

#include <algorithm>
#include <numeric>

#include "engine/device/opencl_fft_transform.h"

namespace convoy {
namespace {

// Of the products that are done at one time, when it is more than one: packed operands are read
// while a cache still has them, and CLBlast's copies stay small beside the spectra.
constexpr std::size_t kProductScratch = std::size_t{16} << 20;

std::size_t sum(const std::vector<std::size_t>& sizes) {
  return std::accumulate(sizes.begin(), sizes.end(), std::size_t{0});
}

ConvProblem block_of(const ConvProblem& problem, const OpenClFftBlocks& blocks) {
  return problem.with_batch(blocks.batch).with_kernels(blocks.kernels);
}

}  // namespace

std::size_t fft_spectrum_floats(const ConvProblem& block, const FftGeometry& geometry,
                                Operand operand) {
  const std::size_t planes = fft_plane_count(geometry);
  const std::size_t columns = static_cast<std::size_t>(geometry.tiles()) * block.batch;
  switch (operand) {
    case Operand::kInput:
      return planes * block.in_channels * columns;
    case Operand::kWeight:
      return planes * block.out_channels * block.in_channels;
    case Operand::kGradOutput:
      break;
  }
  return planes * block.out_channels * columns;
}

ProductSize fft_product_size(const ConvProblem& problem, const FftGeometry& geometry, Pass pass,
                             const OpenClFftBlocks& blocks, const OpenClLimits& limits,
                             const ProductScratch& scratch) {
  const int columns = geometry.tiles() * blocks.batch;
  ProductSize size;
  switch (pass) {
    case Pass::kForward:
      size = {blocks.kernels, columns, problem.in_channels};
      break;
    case Pass::kBackwardData:
      size = {problem.in_channels, columns, blocks.kernels};
      break;
    case Pass::kBackwardWeights:
      size = {blocks.kernels, problem.in_channels, columns};
      break;
  }
  const double flops = 2.0 * size.rows * size.columns * size.depth;
  const double planes = fft_plane_count(geometry);
  size.count = static_cast<int>(std::clamp(limits.piece_flops / flops, 1.0, planes));
  while (size.count > 1 && sum(scratch(size)) > kProductScratch) size.count = (size.count + 1) / 2;
  return size;
}

OpenClMemory fft_memory_of(const ConvProblem& problem, const FftGeometry& geometry,
                           const OpenClFftBlocks& blocks, const OpenClLimits& limits,
                           const ProductScratch& scratch) {
  const ConvProblem block = block_of(problem, blocks);
  OpenClMemory memory;
  const auto add = [&](std::size_t bytes) {
    memory.largest = std::max(memory.largest, bytes);
    memory.total += bytes;
  };
  std::size_t result = 0;
  for (const Operand operand : kAllOperands) {
    const std::size_t bytes = fft_spectrum_floats(block, geometry, operand) * sizeof(float);
    add(bytes);
    result = std::max(result, bytes);
  }
  add(result);
  const bool whole_maps = limits.in_place && blocks.batch == problem.batch && !limits.in_parts;
  const bool whole_kernels = limits.in_place && blocks.kernels == problem.out_channels;
  const std::size_t moving = sizeof(float) * std::max({whole_maps ? 0 : block.input_size(),
                                                       whole_kernels ? 0 : block.weight_size(),
                                                       whole_maps && whole_kernels ? 0
                                                       : limits.pooling ? block.pooled_size()
                                                                        : block.output_size()});
  add(moving);
  if (limits.pooling) add(block.output_size() * sizeof(float));
  if (limits.staging > 0) add(moving);
  std::vector<std::size_t> products;
  for (const Pass pass : kAllPasses) {
    const auto needed = scratch(fft_product_size(problem, geometry, pass, blocks, limits, scratch));
    products.resize(std::max(products.size(), needed.size()));
    for (std::size_t i = 0; i < needed.size(); ++i) products[i] = std::max(products[i], needed[i]);
  }
  for (const std::size_t bytes : products) add(bytes);
  memory.scratch = memory.total;
  return memory;
}

OpenClFftBlocks plan_fft_blocks(const ConvProblem& problem, const FftGeometry& geometry,
                                const OpenClLimits& limits, const ProductScratch& scratch,
                                const std::string& where) {
  OpenClFftBlocks blocks{problem.batch, problem.out_channels};
  for (;;) {
    const OpenClMemory memory = fft_memory_of(problem, geometry, blocks, limits, scratch);
    if (memory.total <= limits.total && memory.largest <= limits.one_buffer) return blocks;
    const ConvProblem block = block_of(problem, blocks);
    const std::size_t maps = fft_spectrum_floats(block, geometry, Operand::kInput) +
                             fft_spectrum_floats(block, geometry, Operand::kGradOutput);
    const std::size_t weights = fft_spectrum_floats(block, geometry, Operand::kWeight);
    if (blocks.batch > 1 && (maps >= weights || blocks.kernels == 1)) {
      blocks.batch = (blocks.batch + 1) / 2;
    } else if (blocks.kernels > 1) {
      blocks.kernels = (blocks.kernels + 1) / 2;
    } else {
      throw Error(ErrorKind::kDevice, where,
                  "the transforms of the layer " + problem.describe() + " need " +
                      std::to_string(memory.total) + " bytes on the device, " +
                      std::to_string(memory.largest) +
                      " of them in one piece, even for one picture and one kernel at a time; " +
                      std::to_string(limits.total) + " bytes and " +
                      std::to_string(limits.one_buffer) + " in one piece may be used");
    }
  }
}

}  // namespace convoy
