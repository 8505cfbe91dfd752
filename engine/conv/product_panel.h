// A block of one factor of a matrix product, packed for the tiles that multiply it, and the sizes
// of such blocks.
#pragma once

#include <algorithm>
#include <cstddef>

#include "engine/base/rounding.h"

namespace convoy {

constexpr std::size_t kMostLanes = 16;  // of a vector
constexpr std::size_t kMostRows = 12;   // of a tile
// Products that are added up in a register before their sum goes to memory: short sums lose less to
// rounding.
constexpr std::size_t kInnerRun = 128;
constexpr std::size_t kGaussPlanes = 3;  // of a packed complex factor, for Gauss' three products

// Planes of [inner][width], where width is a tile's side.
struct Panel {
  float* data;
  std::size_t width, inner;
  float* plane(std::size_t n) const { return data + n * width * inner; }
};

// Floats of a packed block of the right factor: up to so many columns and so many inner indices in
// `planes` planes.
constexpr std::size_t packed_block_floats(std::size_t planes, std::size_t columns,
                                          std::size_t inner) {
  return planes * inner * round_up(columns, kMostLanes);
}

// And of all that multiply_block() packs.
constexpr std::size_t packed_floats(std::size_t planes, std::size_t columns, std::size_t inner) {
  return kMostRows * 2 * kMostLanes + planes * kInnerRun * kMostRows +
         packed_block_floats(planes, columns, inner);
}

}  // namespace convoy
