// A factor of a matrix product, where it lies in memory: one real matrix, or the two planes of a
// complex one.
#pragma once

#include <cstddef>

#include "engine/tensor/blas.h"

namespace convoy {

// Row-major, before its transposition.
struct Factor {
  const float* first = nullptr;
  const float* second = nullptr;  // null where it is real
  std::size_t leading = 0;
  Transpose transpose = Transpose::kNo;
};

}  // namespace convoy
