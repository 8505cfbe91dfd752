// How the gemm convolution divides its work: into tasks for the threads and, within a task, into
// blocks of the column matrix that lie in a thread's scratch.
#pragma once

#include <cstddef>
#include <optional>

#include "engine/conv/conv_problem.h"
#include "engine/conv/im2col.h"

namespace convoy {

struct GemmBlocking {
  // Tasks: one for each combination of parts. Row parts hold whole channels in backward-data.
  std::size_t kernel_parts = 1, row_parts = 1, column_parts = 1;
  // The largest block of the column matrix, one a thread.
  std::size_t row_block = 1, column_block = 1;

  std::size_t tasks() const { return kernel_parts * row_parts * column_parts; }
  std::size_t block_floats() const;  // whole cache lines
  // Floats of the partial results of column parts 1, 2, ... in the backward passes; part 0 writes
  // the result itself.
  std::size_t partial_floats(std::size_t result_size) const;
  std::size_t scratch_bytes(int threads, std::size_t result_size) const;
};

// Whether one thread has done all of a pass before others would have woken up.
bool is_soon_done(const ConvProblem& problem);

// Nothing when the smallest useful block does not fit `scratch_limit` bytes.
std::optional<GemmBlocking> choose_gemm_blocking(const ConvProblem& problem, Pass pass, int threads,
                                                 std::size_t scratch_limit);

// Part `index` of [0, count) split into `parts` nearly equal ranges that begin on multiples of
// `grain`; may be empty.
Range split_range(std::size_t count, std::size_t parts, std::size_t index, std::size_t grain);

}  // namespace convoy
