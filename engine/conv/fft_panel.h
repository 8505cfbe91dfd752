// A block of one factor of an FftProduct, packed for the tiles that multiply it.
#pragma once

#include <cstddef>

namespace convoy {

constexpr std::size_t kFftPlanes = 3;  // of a packed complex factor, for Gauss' three products

// Planes of [inner][width], where width is a tile's side.
struct FftPanel {
  float* data;
  std::size_t width, inner;
  float* plane(std::size_t n) const { return data + n * width * inner; }
};

}  // namespace convoy
