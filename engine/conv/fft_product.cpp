#include "engine/conv/fft_product.h"

#include <algorithm>

#include "engine/base/rounding.h"
#include "engine/conv/range.h"

// Highway compiles this file once for each instruction set and picks one when the program runs.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "engine/conv/fft_product.cpp"

#include <hwy/foreach_target.h>
// After foreach_target.h, as Highway wants it.
#include <hwy/cache_control.h>
#include <hwy/highway.h>

#include "engine/conv/fft_packing-inl.h"

#ifndef CONVOY_ENGINE_CONV_FFT_PRODUCT_CPP_ONCE
#define CONVOY_ENGINE_CONV_FFT_PRODUCT_CPP_ONCE
namespace convoy {
namespace {

constexpr std::size_t kMostLanes = 16;  // of a vector
constexpr std::size_t kMostRows = 12;   // of a tile

// Products that are added up in a register before their sum goes to memory: short sums lose less to
// rounding.
constexpr std::size_t kInner = 128;
// The sides of the right factor that are packed at once. Rows of the left factor pass by and are
// read once, in order, which is what counts: they come from memory.
constexpr std::size_t kBlock = 512;

}  // namespace
}  // namespace convoy
#endif

HWY_BEFORE_NAMESPACE();
namespace convoy::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

using Lanes = hn::CappedTag<float, kMostLanes>;
using Vector = hn::Vec<Lanes>;
constexpr std::size_t kLanes = hn::MaxLanes(Lanes());
// Tiles of up to kRows rows and two vectors fill the registers but for those of the factors.
constexpr std::size_t kRowStep = kPanelStep;
constexpr std::size_t kRows = 3 * kRowStep;
static_assert(kRows <= kMostRows && kLanes <= kMostLanes);

// Where a tile of the result goes.
struct Target {
  float* data;
  std::size_t leading, rows, columns;
  bool add, stream;
};

template <std::size_t kR, std::size_t kV>
struct Tile {
  Vector sums[kR][kV];

  HWY_INLINE void multiply(const float* HWY_RESTRICT a, const float* HWY_RESTRICT b,
                           std::size_t inner) {
    const Lanes d;
    HWY_UNROLL(12)
    for (std::size_t r = 0; r < kR; ++r) {
      HWY_UNROLL(2)
      for (std::size_t v = 0; v < kV; ++v) sums[r][v] = hn::Zero(d);
    }
    for (std::size_t k = 0; k < inner; ++k, a += kR, b += kV * kLanes) {
      Vector right[kV];
      HWY_UNROLL(2)
      for (std::size_t v = 0; v < kV; ++v) right[v] = hn::Load(d, b + v * kLanes);
      HWY_UNROLL(12)
      for (std::size_t r = 0; r < kR; ++r) {
        const Vector left = hn::Set(d, a[r]);
        HWY_UNROLL(2)
        for (std::size_t v = 0; v < kV; ++v) sums[r][v] = hn::MulAdd(left, right[v], sums[r][v]);
      }
    }
  }

  HWY_INLINE void keep(float* HWY_RESTRICT common) const {
    const Lanes d;
    HWY_UNROLL(12)
    for (std::size_t r = 0; r < kR; ++r) {
      HWY_UNROLL(2)
      for (std::size_t v = 0; v < kV; ++v) hn::Store(sums[r][v], d, common + (r * kV + v) * kLanes);
    }
  }

  // `common`, where there is one, is added.
  HWY_INLINE void write(float* HWY_RESTRICT common, bool has_common, const Target& to) {
    const Lanes d;
    HWY_UNROLL(12)
    for (std::size_t r = 0; r < kR; ++r) {
      HWY_UNROLL(2)
      for (std::size_t v = 0; v < kV; ++v) {
        Vector sum = sums[r][v];
        float* const kept = common + (r * kV + v) * kLanes;
        if (has_common) sum = hn::Add(sum, hn::Load(d, kept));
        if (r < to.rows && (v + 1) * kLanes <= to.columns) {
          float* const at = to.data + r * to.leading + v * kLanes;
          if (to.stream)
            hn::Stream(sum, d, at);
          else
            hn::StoreU(to.add ? hn::Add(sum, hn::LoadU(d, at)) : sum, d, at);
        } else if (r < to.rows) {
          HWY_ALIGN float lanes[kLanes];
          hn::Store(sum, d, lanes);
          float* const row = to.data + r * to.leading;
          for (std::size_t n = v * kLanes; n < to.columns; ++n)
            row[n] = to.add ? row[n] + lanes[n - v * kLanes] : lanes[n - v * kLanes];
        }
      }
    }
  }
};

template <bool kComplex, std::size_t kR, std::size_t kV>
HWY_NOINLINE void multiply_tile(const FftPanel& a, const FftPanel& b, float* common,
                                const Target& first, float* second) {
  Tile<kR, kV> tile;
  tile.multiply(a.plane(0), b.plane(0), a.inner);
  if constexpr (kComplex) {
    tile.keep(common);
    tile.multiply(a.plane(1), b.plane(1), a.inner);
    tile.write(common, true, first);
    tile.multiply(a.plane(2), b.plane(2), a.inner);
    tile.write(common, true,
               {second, first.leading, first.rows, first.columns, first.add, first.stream});
  } else {
    tile.write(common, false, first);
  }
}

template <bool kComplex, std::size_t kV>
HWY_INLINE void multiply_tile(const FftPanel& a, const FftPanel& b, float* common,
                              const Target& first, float* second) {
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

// The products of one packed block of the right factor with all rows of the left one.
template <bool kComplex, class Left, class Right>
HWY_INLINE void multiply_block(const FftProduct& p, const Range& inner, const Range& columns,
                               float* work) {
  float* const common = work;
  float* const left = common + kMostRows * 2 * kMostLanes;
  float* const right = left + kFftPlanes * kMostRows * kInner;
  constexpr std::size_t planes = kPlanesOf<Left>;
  const bool a_by_row = p.a.transpose == Transpose::kYes;
  const bool b_by_row = p.b.transpose == Transpose::kNo;
  const bool stream = p.stream && !p.add && inner.size() == p.inner && p.inner <= kInner;
  const std::size_t runs = ceil_div(inner.size(), kInner);
  const auto run = [&](std::size_t n) {  // of the inner side, for one sum in registers
    return Range{inner.begin + inner.size() * n / runs,
                 inner.begin + inner.size() * (n + 1) / runs};
  };
  const auto right_panel = [&](const Range& k, const Part& part) {
    return FftPanel{right + planes * ((k.begin - inner.begin) * round_up(columns.size(), kLanes) +
                                      part.first * k.size()),
                    part.width, k.size()};
  };
  for (std::size_t n = 0; n < runs; ++n)
    for_parts(columns.size(), kLanes, 2, [&](const Part& part) {
      pack<Right>(p.b, b_by_row, columns.begin + part.first, part.count, run(n).begin,
                  right_panel(run(n), part));
    });
  for_parts(p.rows, kRowStep, 3, [&](const Part& row) {
    for (std::size_t n = 0; n < runs; ++n) {
      const Range k = run(n);
      const FftPanel a{left, row.width, k.size()};
      pack<Left>(p.a, a_by_row, row.first, row.count, k.begin, a);
      // What comes next: the next run of these rows, or the first of the next rows.
      const Range next_k = n + 1 < runs ? run(n + 1) : run(0);
      const std::size_t next_row = n + 1 < runs ? row.first : row.first + row.count;
      for_parts(columns.size(), kLanes, 2, [&](const Part& part) {
        prefetch<Left>(p.a, a_by_row, next_row, std::min(row.width, p.rows - next_row),
                       next_k.begin, next_k.size(), part.index, part.of);
        const std::size_t at = row.first * p.leading + columns.begin + part.first;
        const Target target{p.first + at,         p.leading, row.count, part.count,
                            p.add || k.begin > 0, stream};
        float* const second = kComplex ? p.second + at : nullptr;
        if (part.width == kLanes)
          multiply_tile<kComplex, 1>(a, right_panel(k, part), common, target, second);
        else
          multiply_tile<kComplex, 2>(a, right_panel(k, part), common, target, second);
      });
    }
  });
}

template <bool kComplex, class Left, class Right>
HWY_INLINE void multiply_blocks(const FftProduct& p, float* work) {
  const std::size_t blocks = ceil_div(p.inner, kBlock);
  for (std::size_t column = 0; column < p.columns; column += kBlock)
    for (std::size_t n = 0; n < blocks; ++n)
      multiply_block<kComplex, Left, Right>(p, {p.inner * n / blocks, p.inner * (n + 1) / blocks},
                                            {column, std::min(p.columns, column + kBlock)}, work);
}

void multiply_complex(const FftProduct& p, float* work) {
  multiply_blocks<true, LeftSums, RightSums>(p, work);
  if (p.stream) hwy::FlushStream();
}
void multiply_real(const FftProduct& p, float* work) {
  multiply_blocks<false, Itself, Itself>(p, work);
  if (p.stream) hwy::FlushStream();
}

}  // namespace convoy::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace convoy {
namespace {

FftFactor shifted(const FftFactor& factor, std::size_t offset) {
  FftFactor part = factor;
  part.first += offset;
  if (part.second) part.second += offset;
  return part;
}

}  // namespace

HWY_EXPORT(multiply_complex);
HWY_EXPORT(multiply_real);

FftProduct FftProduct::part(std::size_t row, std::size_t row_count, std::size_t column,
                            std::size_t column_count) const {
  FftProduct result = *this;
  result.rows = row_count;
  result.columns = column_count;
  result.a = shifted(a, a.transpose == Transpose::kYes ? row : row * a.leading);
  result.b = shifted(b, b.transpose == Transpose::kYes ? column * b.leading : column);
  result.first += row * leading + column;
  if (result.second) result.second += row * leading + column;
  return result;
}

std::size_t fft_product_work(std::size_t columns, std::size_t inner) {
  return kMostRows * 2 * kMostLanes + kFftPlanes * kInner * kMostRows +
         kFftPlanes * std::min(inner, kBlock) * round_up(std::min(columns, kBlock), kMostLanes);
}

void fft_multiply(const FftProduct& product, float* work) {
  HWY_DYNAMIC_DISPATCH(multiply_complex)(product, work);
}

void fft_multiply_real(const FftProduct& product, float* work) {
  HWY_DYNAMIC_DISPATCH(multiply_real)(product, work);
}

}  // namespace convoy
#endif
