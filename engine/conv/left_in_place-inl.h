// Multiplies the left factor of a product where it lies in memory. Packing weights takes as long as
// multiplying them with the few columns of a small batch of small maps; included once for each
// instruction set.

#if defined(CONVOY_ENGINE_CONV_LEFT_IN_PLACE_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef CONVOY_ENGINE_CONV_LEFT_IN_PLACE_INL_H_
#undef CONVOY_ENGINE_CONV_LEFT_IN_PLACE_INL_H_
#else
#define CONVOY_ENGINE_CONV_LEFT_IN_PLACE_INL_H_
#endif

#include <hwy/highway.h>

#include <algorithm>
#include <utility>

#include "engine/base/rounding.h"
#include "engine/conv/conv_problem.h"
#include "engine/conv/product_panel.h"
#include "engine/conv/product_tiles-inl.h"
#include "engine/conv/range.h"

HWY_BEFORE_NAMESPACE();
namespace convoy::HWY_NAMESPACE {

// Rows of the left factor whose inner indices are neighbours; rows are `step` apart. Four have a
// pointer in common: there are not registers enough for one of each.
template <std::size_t kR>
class DistantRows {
 public:
  HWY_INLINE DistantRows(const float* first, std::size_t step) : step_(step) {
    HWY_UNROLL(3)
    for (std::size_t n = 0; n < kPointers; ++n) at_[n] = first + 4 * n * step;
  }
  HWY_INLINE float operator[](std::size_t r) const { return at_[r / 4][r % 4 * step_]; }
  HWY_INLINE void next() {
    HWY_UNROLL(3)
    for (std::size_t n = 0; n < kPointers; ++n) ++at_[n];
  }

 private:
  static constexpr std::size_t kPointers = (kR + 3) / 4;
  const float* HWY_RESTRICT at_[kPointers];
  const std::size_t step_;
};

// A left factor whose rows lie one after the other: the weights of forward, rows k, inner
// (c, i, j), or the gradients of backward-weights, rows k, inner (y, x, n).
struct RowsInPlace {
  const float* first;
  std::size_t inner;  // floats of a row

  template <std::size_t kR, std::size_t kV, class Right>
  HWY_INLINE void add_products(Tile<kR, kV>& tile, std::size_t row, const Range& k,
                               Right& right) const {
    tile.add_products(DistantRows<kR>(first + row * inner + k.begin, inner), right, k.size());
  }
};

// The weights of backward-data: rows c, inner (k, i, j).
struct KernelsInPlace {
  const float* weight;
  std::size_t channels, taps;

  template <std::size_t kR, std::size_t kV, class Right>
  HWY_INLINE void add_products(Tile<kR, kV>& tile, std::size_t row, const Range& k,
                               Right& right) const {
    if (taps == 1) {
      tile.add_products(NeighbouringRows{weight + k.begin * channels + row, channels}, right,
                        k.size());
      return;
    }
    std::size_t kernel = k.begin / taps, tap = k.begin % taps;
    for (std::size_t at = k.begin; at < k.end; ++kernel, tap = 0) {
      const std::size_t count = std::min(taps - tap, k.end - at);
      tile.add_products(DistantRows<kR>(weight + (kernel * channels + row) * taps + tap, taps),
                        right, count);
      at += count;
    }
  }
};

// Calls work.operator()<count>() for a count from 1 to kMost.
template <std::size_t kMost, class Work>
HWY_INLINE void with_rows(std::size_t count, const Work& work) {
  if (count == kMost)
    work.template operator()<kMost>();
  else if constexpr (kMost > 1)
    with_rows<kMost - 1>(count, work);
}

template <class Left>
constexpr bool kIsInPlace = false;
template <>
constexpr bool kIsInPlace<RowsInPlace> = true;
template <>
constexpr bool kIsInPlace<KernelsInPlace> = true;

template <std::size_t kV, std::size_t kR, class Left>
HWY_NOINLINE void multiply_tile_in_place(const Left& left, std::size_t row, const Range& k,
                                         const Panel& b, const Target& to) {
  Tile<kR, kV> tile;
  tile.clear();
  PackedVectors<kV> right{b.data};
  left.add_products(tile, row, k, right);
  tile.write(to);
}

// As multiply_block(), with a left factor that is not packed.
template <class Left, class Right>
HWY_INLINE void multiply_block_in_place(const Left& left, const Right& right,
                                        const ProductResult& to, const Range& inner,
                                        const Range& columns, float* work) {
  const PackedBlock block(inner, columns, 1, work);
  block.pack(right);
  for_parts(to.rows, 1, kRows, [&](const Part& row) HWY_ATTR {
    for (std::size_t n = 0; n < block.runs; ++n)
      for_parts(columns.size(), kLanes, 2, [&](const Part& part) HWY_ATTR {
        const std::size_t at = row.first * to.leading + columns.begin + part.first;
        const Target target{to.first + at, to.leading,      row.count,
                            part.count,    to.add || n > 0, to.stream};
        with_rows<kRows>(row.count, [&]<std::size_t kR>() HWY_ATTR {
          const auto multiply = part.width == kLanes ? multiply_tile_in_place<1, kR, Left>
                                                     : multiply_tile_in_place<2, kR, Left>;
          multiply(left, row.first, block.run(n), block.panel(n, part), target);
        });
      });
  });
}

}  // namespace convoy::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
