#include "engine/device/opencl_plan.h"

#include <algorithm>

namespace convoy {
namespace {

int halved(int count) {
  return (count + 1) / 2;
}

std::size_t positions_of(const ConvProblem& problem) {
  return static_cast<std::size_t>(problem.out_height()) * problem.out_width();
}

}  // namespace

ProductSize product_size(const ConvProblem& problem, Pass pass, const OpenClBlocks& blocks) {
  const int elements = static_cast<int>(problem.kernel_elements());
  const int columns = blocks.positions * blocks.batch;
  switch (pass) {
    case Pass::kForward:
      return {blocks.kernels, columns, elements};
    case Pass::kBackwardData:
      return {elements, columns, blocks.kernels};
    case Pass::kBackwardWeights:
      break;
  }
  return {blocks.kernels, elements, columns};
}

OpenClMemory memory_of(const ConvProblem& problem, const OpenClBlocks& blocks,
                       const OpenClLimits& limits, const ProductScratch& scratch) {
  const ConvProblem block = problem.with_batch(blocks.batch).with_kernels(blocks.kernels);
  const bool all_pictures = blocks.batch == problem.batch && !limits.in_parts;
  const bool all_kernels = blocks.kernels == problem.out_channels;
  OpenClMemory memory;
  const auto add = [&](std::size_t bytes, bool whole) {
    memory.largest = std::max(memory.largest, bytes);
    if (whole && limits.in_place) return;
    memory.total += alternates(whole, limits) ? 2 * bytes : bytes;
  };
  const std::size_t input = block.input_size() * sizeof(float);
  const std::size_t weight = block.weight_size() * sizeof(float);
  const std::size_t output = block.output_size() * sizeof(float);
  const bool all_maps = all_pictures && all_kernels;
  add(input, all_pictures);
  add(weight, all_kernels);
  // Of grad_output, or of the pooled maps on their way in and out.
  add(limits.pooling ? block.pooled_size() * sizeof(float) : output, all_maps);
  // The passes share the room for their results.
  const auto of_result = [&](std::size_t bytes, bool whole) {
    if (whole && limits.in_place) return std::size_t{0};
    return alternates(whole, limits) ? 2 * bytes : bytes;
  };
  std::size_t results = std::max(of_result(input, all_pictures), of_result(weight, all_kernels));
  if (!limits.pooling) results = std::max(results, of_result(output, all_maps));
  memory.total += results;

  const std::size_t operands = memory.total;
  if (limits.pooling) {
    // The gradient of the maps; and the maps, in the room for results.
    const std::size_t maps = alternates(all_maps, limits) ? 2 * output : output;
    memory.total += output + std::max(maps, results) - results;
    memory.largest = std::max(memory.largest, output);
  }
  const auto add_scratch = [&](std::size_t bytes) {
    memory.largest = std::max(memory.largest, bytes);
    memory.total += bytes;
  };
  add_scratch(problem.kernel_elements() * blocks.positions * blocks.batch * sizeof(float));
  std::vector<std::size_t> product;
  for (const Pass pass : kAllPasses) {
    const auto needed = scratch(product_size(problem, pass, blocks));
    product.resize(std::max(product.size(), needed.size()));
    for (std::size_t i = 0; i < needed.size(); ++i) product[i] = std::max(product[i], needed[i]);
  }
  for (const std::size_t bytes : product) add_scratch(bytes);
  memory.scratch = memory.total - operands;
  return memory;
}

OpenClBlocks plan_blocks(const ConvProblem& problem, const OpenClLimits& limits,
                         const ProductScratch& scratch, const std::string& where) {
  OpenClBlocks blocks{problem.batch, problem.out_channels, 1};
  const double position_flops =
      2.0 * static_cast<double>(problem.kernel_elements()) * problem.out_channels * problem.batch;
  const double wanted = std::min({limits.piece_flops / position_flops,
                                  static_cast<double>(limits.piece_columns) / problem.batch,
                                  static_cast<double>(positions_of(problem))});
  blocks.positions = std::max(1, static_cast<int>(wanted));

  // Below this many columns a product loses speed, and cutting pictures or kernels costs less.
  constexpr int kFewColumns = 256;
  for (;;) {
    const OpenClMemory memory = memory_of(problem, blocks, limits, scratch);
    if (memory.total <= limits.total && memory.largest <= limits.one_buffer) return blocks;
    const std::size_t maps = problem.with_batch(blocks.batch).input_size() +
                             problem.with_batch(blocks.batch).output_size();
    const std::size_t weights = problem.with_kernels(blocks.kernels).weight_size();
    if (blocks.positions > 1 && blocks.positions * blocks.batch > kFewColumns) {
      blocks.positions = halved(blocks.positions);
    } else if (blocks.batch > 1 && (maps >= weights || blocks.kernels == 1)) {
      blocks.batch = halved(blocks.batch);
    } else if (blocks.kernels > 1) {
      blocks.kernels = halved(blocks.kernels);
    } else if (blocks.positions > 1) {
      blocks.positions = halved(blocks.positions);
    } else {
      throw Error(ErrorKind::kDevice, where,
                  "the layer " + problem.describe() + " needs " + std::to_string(memory.total) +
                      " bytes on the device, " + std::to_string(memory.largest) +
                      " of them in one piece, even for one picture and one kernel at a time; " +
                      std::to_string(limits.total) + " bytes and " +
                      std::to_string(limits.one_buffer) + " in one piece may be used");
    }
  }
}

}  // namespace convoy
