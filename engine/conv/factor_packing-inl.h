// Packs factors that lie in memory into panels; included once for each instruction set. The sums
// that Gauss' form needs are formed on the way.

#if defined(CONVOY_ENGINE_CONV_FACTOR_PACKING_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef CONVOY_ENGINE_CONV_FACTOR_PACKING_INL_H_
#undef CONVOY_ENGINE_CONV_FACTOR_PACKING_INL_H_
#else
#define CONVOY_ENGINE_CONV_FACTOR_PACKING_INL_H_
#endif

#include <hwy/cache_control.h>
#include <hwy/highway.h>

#include <algorithm>

#include "engine/conv/factor.h"
#include "engine/conv/product_panel.h"
#include "engine/conv/product_tiles-inl.h"
#include "engine/conv/range.h"

HWY_BEFORE_NAMESPACE();
namespace convoy::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

constexpr std::size_t kFloatsOfLine = 16;  // of the caches

// What Gauss' form takes of the left factor: a1 + a2, a1, a2.
struct LeftSums {
  template <class V>
  HWY_INLINE void operator()(V first, V second, V out[kGaussPlanes]) const {
    out[0] = hn::Add(first, second);
    out[1] = first;
    out[2] = second;
  }
};
// And of the right: b1, b2 - b1, -b1 - b2.
struct RightSums {
  template <class V>
  HWY_INLINE void operator()(V first, V second, V out[kGaussPlanes]) const {
    out[0] = first;
    out[1] = hn::Sub(second, first);
    out[2] = hn::Neg(hn::Add(first, second));
  }
};
// Of a real factor.
struct Itself {
  template <class V>
  HWY_INLINE void operator()(V first, V, V out[kGaussPlanes]) const {
    out[0] = first;
  }
};
template <class Sums>
constexpr std::size_t kPlanesOf = kGaussPlanes;
template <>
constexpr std::size_t kPlanesOf<Itself> = 1;

// Element by element, for what does not fill a vector; beyond `count` of the width all is zero.
template <class Sums>
HWY_INLINE void pack_element(const Factor& f, std::size_t at, bool inside, const Panel& panel,
                             std::size_t to) {
  const hn::CappedTag<float, 1> d;
  auto first = hn::Zero(d), second = first;
  if (inside) {
    first = hn::LoadU(d, f.first + at);
    if (kPlanesOf < Sums >> 1) second = hn::LoadU(d, f.second + at);
  }
  hn::Vec<decltype(d)> out[kGaussPlanes];
  Sums()(first, second, out);
  for (std::size_t n = 0; n < kPlanesOf<Sums>; ++n) hn::StoreU(out[n], d, panel.plane(n) + to);
}

// From a matrix that has a row for each inner index: [inner][count].
template <class Sums>
HWY_INLINE void pack_rows(const Factor& f, std::size_t offset, std::size_t count,
                          const Panel& panel) {
  const hn::CappedTag<float, kRowStep> d;
  for (std::size_t k = 0; k < panel.inner; ++k) {
    const std::size_t row = offset + k * f.leading;
    std::size_t n = 0;
    for (; n + hn::Lanes(d) <= count; n += hn::Lanes(d)) {
      const auto first = hn::LoadU(d, f.first + row + n);
      const auto second = kPlanesOf<Sums> > 1 ? hn::LoadU(d, f.second + row + n) : first;
      hn::Vec<decltype(d)> out[kGaussPlanes];
      Sums()(first, second, out);
      for (std::size_t p = 0; p < kPlanesOf<Sums>; ++p)
        hn::StoreU(out[p], d, panel.plane(p) + k * panel.width + n);
    }
    for (; n < panel.width; ++n)
      pack_element<Sums>(f, row + n, n < count, panel, k * panel.width + n);
  }
}

// From a matrix that has a column for each inner index: [count][inner], four by four.
template <class Sums>
HWY_INLINE void pack_columns(const Factor& f, std::size_t offset, std::size_t count,
                             const Panel& panel) {
  const auto scalar = [&](std::size_t n, std::size_t from, std::size_t to) {
    for (std::size_t k = from; k < to; ++k)
      pack_element<Sums>(f, offset + n * f.leading + k, n < count, panel, k * panel.width + n);
  };
  std::size_t n = 0;
#if HWY_TARGET != HWY_SCALAR
  const hn::FixedTag<float, 4> d;
  using V = hn::Vec<decltype(d)>;
  for (; n + 4 <= count; n += 4) {
    std::size_t k = 0;
    for (; k + 4 <= panel.inner; k += 4) {
      V rows[4][kGaussPlanes];
      for (std::size_t r = 0; r < 4; ++r) {
        const std::size_t at = offset + (n + r) * f.leading + k;
        const V first = hn::LoadU(d, f.first + at);
        Sums()(first, kPlanesOf<Sums> > 1 ? hn::LoadU(d, f.second + at) : first, rows[r]);
      }
      for (std::size_t p = 0; p < kPlanesOf<Sums>; ++p) {
        const V low0 = hn::InterleaveLower(d, rows[0][p], rows[2][p]);
        const V low1 = hn::InterleaveLower(d, rows[1][p], rows[3][p]);
        const V high0 = hn::InterleaveUpper(d, rows[0][p], rows[2][p]);
        const V high1 = hn::InterleaveUpper(d, rows[1][p], rows[3][p]);
        float* const to = panel.plane(p) + k * panel.width + n;
        hn::StoreU(hn::InterleaveLower(d, low0, low1), d, to);
        hn::StoreU(hn::InterleaveUpper(d, low0, low1), d, to + panel.width);
        hn::StoreU(hn::InterleaveLower(d, high0, high1), d, to + 2 * panel.width);
        hn::StoreU(hn::InterleaveUpper(d, high0, high1), d, to + 3 * panel.width);
      }
    }
    for (std::size_t r = 0; r < 4; ++r) scalar(n + r, k, panel.inner);
  }
#endif
  for (; n < panel.width; ++n) scalar(n, 0, panel.inner);
}

// Either factor, for multiply_block(): `side_is_column` where its side, not the inner indices, lies
// along the stored matrix' rows.
template <class Sums>
class FactorPacker {
 public:
  static constexpr std::size_t kPlanes = kPlanesOf<Sums>;

  FactorPacker(const Factor& factor, bool side_is_column)
      : f_(factor), side_is_column_(side_is_column) {}

  // `count` of the side's indices from `first` on, and `inner` of the inner ones.
  HWY_INLINE void pack(std::size_t first, std::size_t count, const Range& inner,
                       const Panel& panel) const {
    if (side_is_column_)
      pack_rows<Sums>(f_, inner.begin * f_.leading + first, count, panel);
    else
      pack_columns<Sums>(f_, first * f_.leading + inner.begin, count, panel);
  }

  template <class PanelOf>
  HWY_INLINE void pack_block(const Range& columns, const Range& inner,
                             const PanelOf& panel_of) const {
    pack_by_parts(*this, columns, inner, panel_of);
  }

  // Has a part of what a pack() with these arguments would read brought closer, while tiles are
  // multiplied: rows that begin far apart are more than the processor foresees.
  HWY_INLINE void prefetch(std::size_t first, std::size_t count, const Range& inner,
                           std::size_t part, std::size_t parts) const {
    const std::size_t rows = side_is_column_ ? inner.size() : count;
    const std::size_t length = side_is_column_ ? count : inner.size();
    const std::size_t begin =
        side_is_column_ ? inner.begin * f_.leading + first : first * f_.leading + inner.begin;
    for (std::size_t row = rows * part / parts; row < rows * (part + 1) / parts; ++row)
      for (std::size_t n = 0; n < length + kFloatsOfLine - 1; n += kFloatsOfLine) {
        const std::size_t at = begin + row * f_.leading + std::min(n, length - 1);
        hwy::Prefetch(f_.first + at);
        if (kPlanes > 1) hwy::Prefetch(f_.second + at);
      }
  }

 private:
  const Factor f_;
  const bool side_is_column_;
};

}  // namespace convoy::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
