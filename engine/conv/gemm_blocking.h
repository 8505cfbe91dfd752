// How the gemm convolution divides its work: into tasks for the threads and, within a task, into
// blocks of the column matrix that lie in a thread's scratch.
#pragma once

#include <cstddef>
#include <optional>

#include "engine/conv/conv_problem.h"

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

// Nothing when the smallest useful block does not fit `scratch_limit` bytes.
std::optional<GemmBlocking> choose_gemm_blocking(const ConvProblem& problem, Pass pass, int threads,
                                                 std::size_t scratch_limit);

}  // namespace convoy
