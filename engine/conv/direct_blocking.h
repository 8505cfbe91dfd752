// How a direct convolution divides its pass: into tasks for the threads, and lines of the maps that
// a task works on at once.
#pragma once

#include <cstddef>
#include <optional>

#include "engine/conv/conv_problem.h"
#include "engine/conv/direct_layout.h"

namespace convoy {

// The sides of the result of a pass, seen as a matrix, and lines of the maps that its sums go
// along.
//   forward            rows k, columns (y, x, n)
//   backward-data      rows c, columns (h, w, n)
//   backward-weights   rows k, columns (c, i, j)
struct DirectBlocking {
  std::size_t rows;  // of the result
  // Parts of the rows, and of the taps in backward-weights; else tasks are the blocks of lines.
  std::size_t row_parts = 1, tap_parts = 1;
  std::size_t block_lines = 1;
  bool joined = false;  // see DirectLayout

  std::size_t blocks(const DirectLayout& layout) const;  // of lines
};

// Floats of a thread's scratch: whole cache lines.
std::size_t direct_work_floats(Pass pass, const DirectLayout& layout, const DirectBlocking& b);

// The blocking that should take the least time within `scratch_limit` bytes; nothing where one line
// at a time is too much, or maps are too large for the layout. Backward-data for stride 1 only.
std::optional<DirectBlocking> choose_direct_blocking(const ConvProblem& problem, Pass pass,
                                                     int threads, std::size_t scratch_limit);

// What the pass would take with all the scratch that it could use.
double direct_seconds(const ConvProblem& problem, Pass pass, int threads);

}  // namespace convoy
