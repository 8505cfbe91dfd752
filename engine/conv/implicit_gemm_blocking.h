// How implicit GEMM divides its matrix product: into tasks for the threads and, within a task, into
// blocks of the right factor that are packed at once in a thread's scratch.
#pragma once

#include <cstddef>
#include <optional>

#include "engine/conv/conv_problem.h"
#include "engine/conv/implicit_product.h"

namespace convoy {

// The sides of the tiles by which parts are measured.
constexpr std::size_t kTileRows = 12, kTileColumns = 32;

struct ImplicitGemmBlocking {
  // Tasks: one for each combination of parts. Inner parts, of backward-weights only, make partial
  // results that are added up.
  std::size_t row_parts = 1, column_parts = 1, inner_parts = 1;
  bool in_place = false;  // the left factor is multiplied where it lies
  // The largest block of the right factor.
  std::size_t column_block = 1, inner_block = 1;

  std::size_t tasks() const { return row_parts * column_parts * inner_parts; }
  std::size_t work_floats() const;                              // of a thread; whole cache lines
  std::size_t partial_stride(const ProductSides& sides) const;  // whole cache lines
  std::size_t scratch_bytes(int threads, const ProductSides& sides) const;
};

// Nothing when the smallest useful block does not fit `scratch_limit` bytes.
std::optional<ImplicitGemmBlocking> choose_implicit_gemm_blocking(const ConvProblem& problem,
                                                                  Pass pass, int threads,
                                                                  std::size_t scratch_limit);

// What the pass would take with all the scratch that it could use.
double implicit_gemm_seconds(const ConvProblem& problem, Pass pass, int threads);

}  // namespace convoy
