#include "engine/conv/implicit_gemm_blocking.h"

#include <algorithm>

#include "engine/base/rounding.h"
#include "engine/conv/column_matrix.h"
#include "engine/conv/conv_cost.h"
#include "engine/conv/gemm_tasks.h"
#include "engine/conv/product_panel.h"

namespace convoy {
namespace {

constexpr std::size_t kLine = 16;  // floats in a cache line
// The sides of a block: half a megabyte, which stays in a core's second cache while all rows
// of the left factor pass by.
constexpr std::size_t kColumnBlock = kMostColumns, kInnerBlock = 512;
constexpr std::size_t kBlockFloats = kColumnBlock * kInnerBlock;

// Forward and backward-weights read a few floats of each of a tile's rows in turn. Where all rows
// begin in the same set of the first cache, their lines drive each other out before they are used
// up. Backward-data reads a short piece of each kernel, again for every block of columns.
constexpr std::size_t kCacheWay = 4096;  // bytes
bool reads_in_place(Pass pass, const ProductSides& sides) {
  if (pass == Pass::kBackwardData) return sides.columns <= kColumnBlock;
  return sides.inner * sizeof(float) % kCacheWay != 0;
}

// Time in multiplications of whole vectors, one a cycle on AVX-512 cores; packing was measured
// there, a float of either factor.
struct PackingCost {
  double left, right;
};
// Of neighbouring floats of the maps, however few; and of one that is gathered.
constexpr double kPieceCost = 7, kGatherCost = 1.5;
PackingCost packing_cost(const ConvProblem& p, Pass pass, const ProductSides& sides) {
  const bool in_place = reads_in_place(pass, sides);
  const int width = pass == Pass::kBackwardData ? p.in_width : p.out_width();
  const int neighbours = p.stride_width == 1 ? width * p.batch : p.batch;
  const double piece = std::min(kGatherCost, kPieceCost / neighbours);
  switch (pass) {
    case Pass::kForward:
      return {in_place ? 0.0 : 0.5, 0.3 + piece};
    case Pass::kBackwardData:
      return {in_place ? 0.0 : 1.2, 0.3 + piece};
    case Pass::kBackwardWeights:
      break;
  }
  return {in_place ? 0.0 : 0.5, 0.9 + piece};
}
constexpr double kLanes = 16;
constexpr double kCyclesPerSecond = kFlopsPerSecond / (2 * kLanes);
constexpr double kAddingCost = 0.5;  // of a float of a partial result

std::size_t largest_part(std::size_t side, std::size_t parts, std::size_t tile) {
  return std::min(side, ceil_div(ceil_div(side, tile), parts) * tile);
}

double cycles(const ProductSides& s, const PackingCost& packing, std::size_t threads,
              const ImplicitGemmBlocking& b) {
  const auto rows = static_cast<double>(round_up(largest_part(s.rows, b.row_parts, kTileRows), 4));
  const std::size_t part = largest_part(s.columns, b.column_parts, kTileColumns);
  const auto columns = static_cast<double>(round_up(part, kLine));
  const auto inner = static_cast<double>(ceil_div(s.inner, b.inner_parts));
  const auto rounds = static_cast<double>(ceil_div(b.tasks(), threads));
  const auto blocks = static_cast<double>(ceil_div(part, kColumnBlock));
  const double partials =
      b.inner_parts == 1 ? 0.0 : static_cast<double>(s.rows * s.columns * b.inner_parts);
  return rounds * inner *
             (rows * columns / kLanes + packing.left * rows * blocks + packing.right * columns) +
         kAddingCost * partials / static_cast<double>(threads);
}

// The division in which `threads` tasks take the least time.
ImplicitGemmBlocking divide(const ProductSides& s, const PackingCost& packing, std::size_t threads,
                            std::size_t most_inner_parts) {
  const std::size_t most_rows = ceil_div(s.rows, kTileRows);
  const std::size_t most_columns = ceil_div(s.columns, kTileColumns);
  ImplicitGemmBlocking best;
  double least = cycles(s, packing, threads, best);
  for (std::size_t i = 1; i <= std::min(threads, most_inner_parts); ++i)
    for (std::size_t c = 1; c <= std::min(ceil_div(threads, i), most_columns); ++c) {
      ImplicitGemmBlocking b;
      b.inner_parts = i;
      b.column_parts = c;
      b.row_parts = std::min(ceil_div(threads, i * c), most_rows);
      const double time = cycles(s, packing, threads, b);
      if (time >= least) continue;
      least = time;
      best = b;
    }
  return best;
}

ProductSides sides_of(const ConvProblem& problem, Pass pass, int* threads) {
  if (is_soon_done(problem)) *threads = 1;
  return implicit_product_sides(problem, pass);
}

}  // namespace

std::size_t ImplicitGemmBlocking::work_floats() const {
  return round_up(implicit_product_work(column_block, inner_block), kLine);
}
std::size_t ImplicitGemmBlocking::partial_stride(const ProductSides& sides) const {
  return round_up(sides.rows * sides.columns, kLine);
}
std::size_t ImplicitGemmBlocking::scratch_bytes(int threads, const ProductSides& sides) const {
  return sizeof(float) * (static_cast<std::size_t>(threads) * work_floats() +
                          (inner_parts - 1) * partial_stride(sides));
}

std::optional<ImplicitGemmBlocking> choose_implicit_gemm_blocking(const ConvProblem& problem,
                                                                  Pass pass, int threads,
                                                                  std::size_t scratch_limit) {
  const ProductSides sides = sides_of(problem, pass, &threads);
  const auto count = static_cast<std::size_t>(threads);
  // Partial results may take half of the scratch.
  const std::size_t limit = scratch_limit / sizeof(float);
  const std::size_t fitting = 1 + limit / 2 / round_up(sides.rows * sides.columns, kLine);
  const std::size_t most_inner =
      pass == Pass::kBackwardWeights
          ? std::min(fitting, std::max<std::size_t>(1, sides.inner / kInnerRun))
          : 1;
  ImplicitGemmBlocking b = divide(sides, packing_cost(problem, pass, sides), count, most_inner);
  // A few tasks for each thread even out cores of unequal speed.
  if (count > 1 && b.row_parts == 1 && b.inner_parts == 1)
    b.column_parts *= std::clamp<std::size_t>(sides.columns / b.column_parts / kColumnBlock, 1, 4);
  b.column_block = std::min({kColumnBlock, round_up(sides.columns, kLine)});
  b.inner_block = kInnerBlock;
  b.in_place = reads_in_place(pass, sides);
  if (b.in_place) {
    const auto taps = static_cast<std::size_t>(problem.kernel_height) * problem.kernel_width;
    b.inner_block = pass == Pass::kBackwardData ? std::max<std::size_t>(1, kInnerRun / taps) * taps
                                                : kBlockFloats / b.column_block;
  }
  b.inner_block = std::min(b.inner_block, sides.inner);
  while (b.scratch_bytes(threads, sides) > scratch_limit) {
    if (b.inner_block > kLine)
      b.inner_block = ceil_div(b.inner_block, 2);
    else if (b.column_block > kLine)
      b.column_block = round_up(b.column_block / 2, kLine);
    else
      return std::nullopt;
  }
  return b;
}

double implicit_gemm_seconds(const ConvProblem& problem, Pass pass, int threads) {
  const ProductSides sides = sides_of(problem, pass, &threads);
  const auto count = static_cast<std::size_t>(threads);
  const std::size_t most_inner = pass == Pass::kBackwardWeights ? count : 1;
  const PackingCost packing = packing_cost(problem, pass, sides);
  return cycles(sides, packing, count, divide(sides, packing, count, most_inner)) /
         kCyclesPerSecond;
}

}  // namespace convoy
