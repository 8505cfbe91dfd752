#include "engine/conv/direct_blocking.h"

#include <algorithm>
#include <limits>

#include "engine/base/rounding.h"
#include "engine/conv/direct_product.h"
#include "engine/conv/gemm_tasks.h"
#include "engine/conv/product_panel.h"

namespace convoy {
namespace {

constexpr std::size_t kLine = 16;  // floats in a cache line
// Floats of maps that stay in a core's second cache while all rows pass by.
constexpr std::size_t kCachedFloats = std::size_t{96} << 10;
constexpr std::size_t kMostFloats = 4 * kCachedFloats;  // of maps, for blocks of several lines
constexpr std::size_t kTileTaps = 6, kRowGrain = 12, kKernelGrain = 4;

// Time in multiplications of whole vectors, one a cycle on AVX-512 cores.
constexpr double kCyclesPerSecond = 110e9 / (2 * kLine);
constexpr double kCopy = 0.15;         // of a float of the maps
constexpr double kCopyByStride = 0.3;  // where columns are parted
constexpr double kCopyLine = 45;       // of a line of them
constexpr double kCopyPiece = 8;       // of a line of joined results
constexpr double kPack = 1.0;          // of a weight
constexpr double kWrite = 0.1;         // of a float of the result
constexpr double kTileCost = 30;       // of a tile of the result, beside its sums
constexpr double kDotCost = 60;        // of a tile of the weights' gradient, for each block
constexpr double kFarAway = 8;         // of a vector of maps that the second cache does not keep

// What of a thread's time is lost where one task is all that it has, as cores are not equally fast;
// half of it where there are two.
constexpr double kUneven = 0.04;

std::size_t largest_rows(const DirectBlocking& b) {
  return std::min(b.rows, ceil_div(ceil_div(b.rows, kMostRows), b.row_parts) * kMostRows);
}

double as_double(std::size_t n) {
  return static_cast<double>(n);
}

// How many tasks' times all of them take.
double in_turns(std::size_t tasks, std::size_t threads) {
  const double turns = as_double(ceil_div(tasks, threads));
  return threads == 1 ? turns : turns + kUneven;
}

std::size_t rows_of(const ConvProblem& problem, Pass pass) {
  return static_cast<std::size_t>(pass == Pass::kBackwardData ? problem.in_channels
                                                              : problem.out_channels);
}

std::size_t vectors_of(const DirectLayout& layout, std::size_t lines) {
  return layout.joined ? ceil_div(layout.joined_run(lines), kLine)
                       : lines * layout.runs * ceil_div(layout.run, kLine);
}

// That a block goes over again and again.
std::size_t floats_of_maps(const DirectLayout& layout, std::size_t lines) {
  return layout.joined ? layout.copy_floats() : lines * layout.line_step * layout.channels;
}

double cycles(Pass pass, const DirectLayout& layout, const DirectBlocking& b, std::size_t threads) {
  const std::size_t blocks = b.blocks(layout), taps = layout.offsets.size();
  const std::size_t vectors = vectors_of(layout, b.block_lines);
  const double copying =
      (layout.copies_by_stride() ? kCopyByStride : kCopy) * as_double(layout.copy_floats()) +
      kCopyLine * as_double(layout.copied_lines());
  const double reading = floats_of_maps(layout, b.block_lines) > kCachedFloats ? kFarAway : 0.0;
  if (pass == Pass::kBackwardWeights) {
    const std::size_t rows = round_up(ceil_div(b.rows, b.row_parts), kKernelGrain);
    const std::size_t part = ceil_div(taps, b.tap_parts);
    const double tiles = as_double(ceil_div(rows, kKernelGrain) * ceil_div(part, kTileTaps));
    const double zeros = layout.run % kLine ? kCopy * kLine * as_double(vectors * rows) : 0.0;
    const double block = as_double(rows * part * vectors) +
                         reading * as_double(ceil_div(rows, kKernelGrain) * part * vectors) +
                         kDotCost * tiles + zeros + copying;
    return in_turns(b.row_parts * b.tap_parts, threads) * as_double(blocks) * block;
  }
  const std::size_t rows = ceil_div(b.rows, b.row_parts);
  const double tiles = as_double(ceil_div(rows, kRowGrain) * ceil_div(vectors, 2));
  const double parting =
      layout.joined ? as_double(rows * b.block_lines) * (kCopyPiece + kCopy * as_double(layout.run))
                    : 0.0;
  const double block = as_double(rows * vectors) * (as_double(taps) + kWrite * kLine) +
                       reading * as_double(vectors * taps) + kTileCost * tiles + copying + parting;
  const double packing =
      pass == Pass::kBackwardData ? kPack * as_double(b.rows * taps) / as_double(threads) : 0.0;
  return in_turns(b.row_parts * blocks, threads) * block + packing;
}

struct Choice {
  DirectBlocking blocking;
  double cycles = std::numeric_limits<double>::infinity();
};

// Takes whatever blocks take less time than the best so far.
void consider_blocks(const ConvProblem& problem, Pass pass, std::size_t workers,
                     std::size_t scratch_limit, bool joined, std::optional<Choice>* best) {
  for (std::size_t lines = 1;; ++lines) {
    const DirectLayout layout(problem, pass, lines, joined);
    if (!layout.is_possible() || lines > layout.lines) return;
    const std::size_t maps = floats_of_maps(layout, lines);
    const std::size_t gradients =
        pass == Pass::kBackwardWeights ? kKernelGrain * lines * layout.runs * layout.run : 0;
    if (lines > 1 && maps + gradients > kMostFloats) return;
    DirectBlocking b{rows_of(problem, pass), 1, 1, lines, joined};
    const auto consider = [&] {
      if (direct_packed_floats(problem, pass) + workers * direct_work_floats(pass, layout, b) >
          scratch_limit / sizeof(float))
        return;
      const double time = cycles(pass, layout, b, workers);
      if (!*best || time < (*best)->cycles) *best = {b, time};
    };
    const bool by_taps = pass == Pass::kBackwardWeights;
    const std::size_t grain = by_taps ? kKernelGrain : kRowGrain;
    const std::size_t most_rows = ceil_div(b.rows, grain);
    for (b.row_parts = 1; b.row_parts <= std::min(4 * workers, most_rows); ++b.row_parts) {
      b.tap_parts = by_taps ? std::min(ceil_div(workers, b.row_parts),
                                       ceil_div(layout.offsets.size(), kTileTaps))
                            : 1;
      consider();
    }
  }
}

std::optional<Choice> choose(const ConvProblem& problem, Pass pass, int threads,
                             std::size_t scratch_limit) {
  const std::size_t workers = is_soon_done(problem) ? 1 : static_cast<std::size_t>(threads);
  std::optional<Choice> best;
  for (const bool joined : {false, true}) {
    if (joined && !DirectLayout::can_join(problem, pass)) break;
    consider_blocks(problem, pass, workers, scratch_limit, joined, &best);
  }
  return best;
}

}  // namespace

std::size_t DirectBlocking::blocks(const DirectLayout& layout) const {
  return ceil_div(layout.lines, block_lines);
}

std::size_t direct_work_floats(Pass pass, const DirectLayout& layout, const DirectBlocking& b) {
  const std::size_t tiles = pass == Pass::kBackwardWeights
                                ? direct_gradient_work(layout, b.block_lines)
                                : direct_sums_work(layout, largest_rows(b), b.block_lines);
  return round_up(tiles + layout.copy_floats(), kLine);
}

std::optional<DirectBlocking> choose_direct_blocking(const ConvProblem& problem, Pass pass,
                                                     int threads, std::size_t scratch_limit) {
  const auto choice = choose(problem, pass, threads, scratch_limit);
  return choice ? std::optional(choice->blocking) : std::nullopt;
}

double direct_seconds(const ConvProblem& problem, Pass pass, int threads) {
  const auto choice = choose(problem, pass, threads, std::numeric_limits<std::size_t>::max());
  return choice ? choice->cycles / kCyclesPerSecond : std::numeric_limits<double>::infinity();
}

}  // namespace convoy
