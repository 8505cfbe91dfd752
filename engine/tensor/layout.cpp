#include "engine/tensor/layout.h"

#include <algorithm>

namespace convoy {
namespace {

// A square block fits the first-level cache for reads and writes alike.
constexpr std::size_t kBlock = 32;

void transpose(const float* source, std::size_t rows, std::size_t columns, float* destination) {
  for (std::size_t r0 = 0; r0 < rows; r0 += kBlock)
    for (std::size_t c0 = 0; c0 < columns; c0 += kBlock)
      for (std::size_t r = r0; r < std::min(rows, r0 + kBlock); ++r)
        for (std::size_t c = c0; c < std::min(columns, c0 + kBlock); ++c)
          destination[c * rows + r] = source[r * columns + c];
}

}  // namespace

void batch_first_to_batch_last(const float* source, std::size_t batch, std::size_t positions,
                               float* destination) {
  transpose(source, batch, positions, destination);
}

void batch_last_to_batch_first(const float* source, std::size_t batch, std::size_t positions,
                               float* destination) {
  transpose(source, positions, batch, destination);
}

}  // namespace convoy
