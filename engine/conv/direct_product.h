// Sums of a convolution straight from the maps and the weights, tile by tile in registers: the
// micro-kernels.
//
//   pass               tile of the result             a sum goes over
//   forward            kernels x neighbouring places  (c, i, j)
//   backward-data      channels x places              (k, i, j)
//   backward-weights   kernels x (c, i, j)            lanes of neighbouring places
#pragma once

#include <cstddef>

#include "engine/base/stop_token.h"
#include "engine/conv/conv_problem.h"
#include "engine/conv/direct_layout.h"
#include "engine/conv/product_panel.h"
#include "engine/conv/range.h"

namespace convoy {

// Packs the kernels of these channels for backward-data: share `share` of `shares` nearly equal
// ones, which threads may pack side by side, to direct_packed_floats() on a 64-byte boundary.
void pack_direct_kernels(const ConvProblem& problem, const float* weight, const Range& channels,
                         float* packed, std::size_t share, std::size_t shares);
std::size_t direct_packed_floats(const ConvProblem& problem, Pass pass);

// Forward and backward-data of a block: these lines of rows.size() rows.
struct DirectSums {
  const float* weight;  // of the whole pass; of backward-data, what is packed of all of `rows`
  const float* maps;    // DirectLayout::place() of the lines
  Range rows, lines;
  float* result;  // of the whole pass
  bool stream;    // around the caches; where runs are whole vectors and the result begins on a line
};
constexpr std::size_t kTileWork = kMostRows * 2 * kMostLanes;
// `work` has direct_sums_work() floats on a 64-byte boundary. Sums of up to kInnerRun products are
// added up.
void sum_direct(Pass pass, const DirectLayout& layout, const DirectSums& sums, float* work);
std::size_t direct_sums_work(const DirectLayout& layout, std::size_t rows, std::size_t block_lines);

// Backward-weights of a block: what these lines add to the gradients of `kernels` by `taps`, which
// count all (c, i, j).
struct DirectGradient {
  const float* grad_output;  // of the whole pass
  const float* maps;         // DirectLayout::place() of the lines
  Range kernels, taps, lines;
  float* result;  // of the whole pass
  bool add;
};
// `work` has direct_gradient_work() floats on a 64-byte boundary.
void sum_direct_gradient(const DirectLayout& layout, const DirectGradient& gradient, float* work,
                         const StopToken* stop);
std::size_t direct_gradient_work(const DirectLayout& layout, std::size_t block_lines);

}  // namespace convoy
