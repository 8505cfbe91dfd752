// Matrix products tile by tile in registers, from packed panels, as Goto and van de Geijn describe
// (ACM TOMS 34(3), 2008), real or complex; included once for each instruction set.

#if defined(CONVOY_ENGINE_CONV_PRODUCT_TILES_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef CONVOY_ENGINE_CONV_PRODUCT_TILES_INL_H_
#undef CONVOY_ENGINE_CONV_PRODUCT_TILES_INL_H_
#else
#define CONVOY_ENGINE_CONV_PRODUCT_TILES_INL_H_
#endif

#include <hwy/cache_control.h>
#include <hwy/highway.h>

#include <algorithm>

#include "engine/base/rounding.h"
#include "engine/conv/product_panel.h"
#include "engine/conv/range.h"

HWY_BEFORE_NAMESPACE();
namespace convoy::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

using Lanes = hn::CappedTag<float, kMostLanes>;
using Vector = hn::Vec<Lanes>;
constexpr std::size_t kLanes = hn::MaxLanes(Lanes());
// Every panel is a multiple of this wide; the tallest tile, three times this.
#if HWY_TARGET <= HWY_AVX3 || HWY_ARCH_ARM_A64
constexpr std::size_t kRowStep = 4;
#else
constexpr std::size_t kRowStep = 2;
#endif
// Tiles of up to kRows rows and two vectors fill the registers but for those of the factors.
constexpr std::size_t kRows = 3 * kRowStep;
static_assert(kRows <= kMostRows && kLanes <= kMostLanes);

// Where a tile of the result goes.
struct Target {
  float* data;
  std::size_t leading, rows, columns;
  bool add, stream;
};

// Vectors of a packed right factor, an inner index after the other.
template <std::size_t kV>
struct PackedVectors {
  const float* HWY_RESTRICT at;

  HWY_INLINE void next(Vector (&right)[kV]) {
    const Lanes d;
    HWY_UNROLL(2)
    for (std::size_t v = 0; v < kV; ++v) right[v] = hn::Load(d, at + v * kLanes);
    at += kV * kLanes;
  }
};

// Rows of the left factor that are neighbours for each inner index, as in a panel; inner indices
// are `step` apart.
struct NeighbouringRows {
  const float* HWY_RESTRICT at;
  std::size_t step;

  HWY_INLINE float operator[](std::size_t r) const { return at[r]; }
  HWY_INLINE void next() { at += step; }
};

template <std::size_t kR, std::size_t kV>
struct Tile {
  Vector sums[kR][kV];

  HWY_INLINE void clear() {
    const Lanes d;
    HWY_UNROLL(12)
    for (std::size_t r = 0; r < kR; ++r) {
      HWY_UNROLL(4)
      for (std::size_t v = 0; v < kV; ++v) sums[r][v] = hn::Zero(d);
    }
  }

  // Adds products to the sums. `rows` gives the left factor's elements, as NeighbouringRows does,
  // and `right` the right one's vectors, as PackedVectors.
  template <class Rows, class Right>
  HWY_INLINE void add_products(Rows rows, Right& right, std::size_t inner) {
    const Lanes d;
    for (std::size_t k = 0; k < inner; ++k, rows.next()) {
      Vector b[kV];
      right.next(b);
      HWY_UNROLL(12)
      for (std::size_t r = 0; r < kR; ++r) {
        const Vector left = hn::Set(d, rows[r]);
        HWY_UNROLL(4)
        for (std::size_t v = 0; v < kV; ++v) sums[r][v] = hn::MulAdd(left, b[v], sums[r][v]);
      }
    }
  }

  // The sums of products with a packed panel of kR rows.
  template <class Right>
  HWY_INLINE void multiply(const float* HWY_RESTRICT a, Right right, std::size_t inner) {
    clear();
    add_products(NeighbouringRows{a, kR}, right, inner);
  }

  HWY_INLINE void keep(float* HWY_RESTRICT common) const {
    const Lanes d;
    HWY_UNROLL(12)
    for (std::size_t r = 0; r < kR; ++r) {
      HWY_UNROLL(4)
      for (std::size_t v = 0; v < kV; ++v) hn::Store(sums[r][v], d, common + (r * kV + v) * kLanes);
    }
  }

  HWY_INLINE void add(const float* HWY_RESTRICT common) {
    const Lanes d;
    HWY_UNROLL(12)
    for (std::size_t r = 0; r < kR; ++r) {
      HWY_UNROLL(4)
      for (std::size_t v = 0; v < kV; ++v)
        sums[r][v] = hn::Add(sums[r][v], hn::Load(d, common + (r * kV + v) * kLanes));
    }
  }

  // A vector of a row, of which the first `columns` lanes count.
  static HWY_INLINE void write(Vector sum, float* HWY_RESTRICT to, std::size_t columns, bool add,
                               bool stream) {
    const Lanes d;
    if (columns >= kLanes) {
      if (stream)
        hn::Stream(sum, d, to);
      else
        hn::StoreU(add ? hn::Add(sum, hn::LoadU(d, to)) : sum, d, to);
    } else {
      HWY_ALIGN float lanes[kLanes];
      hn::Store(sum, d, lanes);
      for (std::size_t n = 0; n < columns; ++n) to[n] = add ? to[n] + lanes[n] : lanes[n];
    }
  }

  HWY_INLINE void write(const Target& to) const {
    HWY_UNROLL(12)
    for (std::size_t r = 0; r < kR; ++r) {
      if (r >= to.rows) break;
      HWY_UNROLL(4)
      for (std::size_t v = 0; v < kV; ++v)
        write(sums[r][v], to.data + r * to.leading + v * kLanes,
              to.columns - std::min(to.columns, v * kLanes), to.add, to.stream);
    }
  }
};

template <bool kComplex, std::size_t kR, std::size_t kV>
HWY_NOINLINE void multiply_tile(const Panel& a, const Panel& b, float* common, const Target& first,
                                float* second) {
  Tile<kR, kV> tile;
  const auto multiply = [&](std::size_t plane) HWY_ATTR {
    tile.multiply(a.plane(plane), PackedVectors<kV>{b.plane(plane)}, a.inner);
  };
  multiply(0);
  if constexpr (kComplex) {
    tile.keep(common);
    multiply(1);
    tile.add(common);
    tile.write(first);
    multiply(2);
    tile.add(common);
    tile.write({second, first.leading, first.rows, first.columns, first.add, first.stream});
  } else {
    tile.write(first);
  }
}

template <bool kComplex, std::size_t kV>
HWY_INLINE void multiply_tile(const Panel& a, const Panel& b, float* common, const Target& first,
                              float* second) {
  if (a.width == kRowStep)
    multiply_tile<kComplex, kRowStep, kV>(a, b, common, first, second);
  else if (a.width == 2 * kRowStep)
    multiply_tile<kComplex, 2 * kRowStep, kV>(a, b, common, first, second);
  else
    multiply_tile<kComplex, 3 * kRowStep, kV>(a, b, common, first, second);
}

// A tile's part of a side: `count` of `width` rows or columns from `first` on.
struct Part {
  std::size_t first, count, width;
  std::size_t index, of;
};

// Calls work(part) for parts of nearly equal width that cover `side`.
template <class Work>
HWY_INLINE void for_parts(std::size_t side, std::size_t step, std::size_t most_steps,
                          const Work& work) {
  const std::size_t steps = ceil_div(side, step), parts = ceil_div(steps, most_steps);
  for (std::size_t n = 0; n < parts; ++n) {
    const std::size_t begin = steps * n / parts * step, end = steps * (n + 1) / parts * step;
    work(Part{begin, std::min(side, end) - begin, end - begin, n, parts});
  }
}

// Packs a block of the right factor part by part, each with all of the inner indices.
template <class Packer, class PanelOf>
HWY_INLINE void pack_by_parts(const Packer& packer, const Range& columns, const Range& inner,
                              const PanelOf& panel_of) {
  for_parts(columns.size(), kLanes, 2, [&](const Part& part) {
    packer.pack(columns.begin + part.first, part.count, inner, panel_of(part));
  });
}

// A block of the right factor, packed in runs of inner indices for one sum in registers each, and
// a run in parts of columns. `packed` has room for packed_block_floats().
struct PackedBlock {
  PackedBlock(const Range& inner_side, const Range& column_side, std::size_t plane_count,
              float* floats, std::size_t most_of_run = kInnerRun)
      : inner(inner_side),
        columns(column_side),
        planes(plane_count),
        packed(floats),
        runs(ceil_div(inner.size(), most_of_run)) {}

  Range run(std::size_t n) const {
    return {inner.begin + inner.size() * n / runs, inner.begin + inner.size() * (n + 1) / runs};
  }
  Panel panel(std::size_t n, const Part& part) const {
    const Range k = run(n);
    const std::size_t before = (k.begin - inner.begin) * round_up(columns.size(), kLanes);
    return {packed + planes * (before + part.first * k.size()), part.width, k.size()};
  }
  template <class Right>
  HWY_INLINE void pack(const Right& right) const {
    for (std::size_t n = 0; n < runs; ++n)
      right.pack_block(columns, run(n), [&](const Part& part) { return panel(n, part); });
  }

  const Range inner, columns;
  const std::size_t planes;
  float* const packed;
  const std::size_t runs;
};

// The result of a product, or its imaginary and its real part.
struct ProductResult {
  std::size_t rows, leading;
  float *first, *second;
  bool add;
  bool stream;  // past the caches; then nothing is added to it, in one run or in several
  std::size_t run = kInnerRun;  // of inner indices, at most
};

// The products of one packed block of the right factor, of these inner indices and these columns,
// with all rows of the left one. Factors are packers as in factor_packing-inl.h; `work` has
// packed_floats().
template <bool kComplex, class Left, class Right>
HWY_INLINE void multiply_block(const Left& left, const Right& right, const ProductResult& to,
                               const Range& inner, const Range& columns, float* work) {
  constexpr std::size_t planes = Right::kPlanes;
  static_assert(planes == Left::kPlanes && planes == (kComplex ? kGaussPlanes : 1));
  float* const common = work;
  float* const rows = common + kMostRows * 2 * kMostLanes;
  const PackedBlock block(inner, columns, planes, rows + planes * kMostRows * kInnerRun, to.run);
  block.pack(right);
  for_parts(to.rows, kRowStep, 3, [&](const Part& row) {
    for (std::size_t n = 0; n < block.runs; ++n) {
      const Range k = block.run(n);
      const Panel a{rows, row.width, k.size()};
      left.pack(row.first, row.count, k, a);
      // What comes next: the next run of these rows, or the first of the next rows.
      const Range next_k = block.run(n + 1 < block.runs ? n + 1 : 0);
      const std::size_t next_row = n + 1 < block.runs ? row.first : row.first + row.count;
      for_parts(columns.size(), kLanes, 2, [&](const Part& part) {
        left.prefetch(next_row, std::min(row.width, to.rows - next_row), next_k, part.index,
                      part.of);
        const std::size_t at = row.first * to.leading + columns.begin + part.first;
        const Target target{to.first + at, to.leading,      row.count,
                            part.count,    to.add || n > 0, to.stream};
        float* const second = kComplex ? to.second + at : nullptr;
        if (part.width == kLanes)
          multiply_tile<kComplex, 1>(a, block.panel(n, part), common, target, second);
        else
          multiply_tile<kComplex, 2>(a, block.panel(n, part), common, target, second);
      });
    }
  });
}

}  // namespace convoy::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
