// Winograd's minimal filtering F(2x2, 3x3) on lanes of many tiles at once (Lavin and Gray 2016).
//
// With d a tile of 4 x 4 inputs, y the 2 x 2 outputs that read them and g a kernel,
//   y = A' [(G g G') * (B' d B)] A
// where * multiplies the 4 x 4 points one by one. Its adjoints are the other passes, so that all
// three share what they make of their operands:
//   d = B [(G g G') * (A y A')] B',   g = G' [(B' d B) * (A y A')] G
// with gradients for d, y and g. Sixteen multiplications where direct sums take 36.
//
// Tiles lie in a lattice: a plane for each place of a tile, with a lane for each column, which is
// an image of a tile, [tile row][tile across][image]. Inputs of neighbouring tiles overlap. A
// tile's rows 2 and 3 are rows 0 and 1 of the tile below, so they have planes together; its columns
// have their own. A point (i, j) of the spectrum is plane 4 i + j. Everything here is safe to call
// from several threads.
#pragma once

#include <cstddef>

namespace convoy {

inline constexpr std::size_t kWinogradPlanes = 16;
// Floats past the last lane that may be read and written in each plane of a lattice.
inline constexpr std::size_t kWinogradSlack = 16;

// Inputs of rows i = 0, 1 and columns j = 0 to 3 are in plane 4 i + j, outputs in plane 2 i + j.
// Inputs have one more row of tiles.
struct WinogradLattice {
  float* data = nullptr;
  std::size_t stride = 0;  // from plane to plane
  std::size_t below = 0;   // to the same place a row of tiles further down
};

// Part of a spectrum's row, the same in each plane.
struct WinogradSource {
  const float* data = nullptr;
  std::size_t plane_stride = 0;
};
// `room` floats may be written; what lies behind the lanes asked for is undefined then.
struct WinogradRow {
  float* data = nullptr;
  std::size_t plane_stride = 0, room = 0;
  bool streamed = false;  // around the caches, where that is possible
};

// `count` columns from `first` on, to the spectrum's row and from there.
void winograd_from_input(const WinogradLattice& tiles, std::size_t first, std::size_t count,
                         const WinogradRow& to);
void winograd_from_output(const WinogradLattice& tiles, std::size_t first, std::size_t count,
                          const WinogradRow& to);
void winograd_to_output(const WinogradSource& from, std::size_t first, std::size_t count,
                        const WinogradLattice& tiles);
// Adds to the tiles' upper two rows and sets their lower two: to be called for one column after the
// other. As many lanes as fit the slack behind them are set to zero.
void winograd_to_input(const WinogradSource& from, std::size_t first, std::size_t count,
                       const WinogradLattice& tiles);

// kFftLanes input channels of a kernel, [tap][channel], to a row of the spectrum and back.
void winograd_from_weights(const float* taps, const WinogradRow& to);
void winograd_to_weights(const WinogradSource& from, float* taps);

// A row of `count` pixels of `unit` floats each, to those of even and of odd places. `room` floats
// of the row may be read, and kWinogradSlack written behind even and odd ones.
void split_pixels(const float* row, std::size_t count, std::size_t unit, std::size_t room,
                  float* even, float* odd);
// And back; adding to the row, where `add`, else `room` floats of it may be written, and
// kWinogradSlack read behind even and odd ones.
void join_pixels(const float* even, const float* odd, std::size_t count, std::size_t unit, bool add,
                 std::size_t room, float* row);
// to[n] = a[n] + b[n]
void add_floats(const float* a, const float* b, std::size_t count, float* to);

}  // namespace convoy
