// A convolution pass as one matrix product with the column matrix, of which only blocks are made,
// packed as the product needs them.
//
//   pass               rows   columns   inner
//   forward            k      (y, x, n) (c, i, j)   weight * columns(input)
//   backward-data      c      (h, w, n) (k, i, j)   weight~ * columns(grad_output)
//   backward-weights   k      (c, i, j) (y, x, n)   grad_output * columns(input)^T
#pragma once

#include <cstddef>

#include "engine/conv/conv_algorithm.h"
#include "engine/conv/conv_problem.h"
#include "engine/conv/range.h"

namespace convoy {

struct ProductSides {
  std::size_t rows, columns, inner;
};
ProductSides implicit_product_sides(const ConvProblem& problem, Pass pass);

struct ImplicitBlock {
  Range rows, columns, inner;
  float* result;  // of the whole pass
  bool add;
  bool in_place;  // the left factor is multiplied where it lies
};

// Multiplies one block; backward-data for stride 1 only. `work` has implicit_product_work() floats
// on a 64-byte boundary for so many columns and inner indices. Sums are short, so that less is lost
// to rounding than in one long sum. Safe to call from several threads with different work and
// results.
void multiply_implicit(const ConvProblem& problem, Pass pass, const ConvOperands& operands,
                       const ImplicitBlock& block, float* work);
std::size_t implicit_product_work(std::size_t columns, std::size_t inner);

}  // namespace convoy
