// Packs blocks of the column matrix (im2col.h), which is never made as a whole, straight into
// panels; included once for each instruction set.

#if defined(CONVOY_ENGINE_CONV_COLUMN_PACKING_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef CONVOY_ENGINE_CONV_COLUMN_PACKING_INL_H_
#undef CONVOY_ENGINE_CONV_COLUMN_PACKING_INL_H_
#else
#define CONVOY_ENGINE_CONV_COLUMN_PACKING_INL_H_
#endif

#include <hwy/highway.h>

#include <algorithm>
#include <cstdint>
#include <limits>

#include "engine/base/rounding.h"
#include "engine/conv/column_matrix.h"
#include "engine/conv/factor_packing-inl.h"
#include "engine/conv/product_panel.h"
#include "engine/conv/product_tiles-inl.h"

HWY_BEFORE_NAMESPACE();
namespace convoy::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

// Calls work(map, i, j, n, count) for each tap of these rows of the matrix: row n is that of tap
// (i, j) of a map, and `count` rows are those of the maps from there on. What they take lies at the
// same place of each.
template <class Work>
HWY_INLINE void for_taps(const ColumnMatrix& m, const Range& rows, const Work& work) {
  const auto taps = static_cast<std::size_t>(m.taps());
  for (std::size_t n = 0; n < std::min(taps, rows.size()); ++n) {
    const std::size_t row = rows.begin + n;
    const auto tap = static_cast<std::ptrdiff_t>(m.turned ? taps - 1 - row % taps : row % taps);
    const float* const map = m.input + static_cast<std::ptrdiff_t>(row / taps) * m.map();
    work(map, tap / m.kernel_width, tap % m.kernel_width, n, ceil_div(rows.size() - n, taps));
  }
}

// Columns of the matrix, cut where the elements that a row of it takes cease to be neighbours. The
// cuts are the same for all rows.
class ColumnSegments {
 public:
  // Those from `columns.begin` on go to to[0], to[1], ...; rows lie `stride` apart.
  void add(const ColumnMatrix& m, const Range& columns, float* to, std::size_t stride) {
    const auto end = static_cast<std::ptrdiff_t>(columns.end);
    for (auto at = static_cast<std::ptrdiff_t>(columns.begin); at < end;) {
      const std::ptrdiff_t y = at / m.out_line, in_line = at % m.out_line;
      Segment& next = segments_[count_++];
      next.row = y * m.stride_height - m.top;
      if (m.stride_width == 1) {
        next.first = in_line - m.left * m.batch;
        next.length = std::min(m.out_line - in_line, end - at);
      } else {
        const std::ptrdiff_t x = in_line / m.batch, picture = in_line % m.batch;
        next.first = (x * m.stride_width - m.left) * m.batch + picture;
        next.length = std::min(m.batch - picture, end - at);
      }
      next.to = to;
      next.stride = stride;
      to += next.length;
      at += next.length;
    }
  }

  // Copies these rows of the matrix to row 0, 1, ...
  HWY_INLINE void copy(const ColumnMatrix& m, const Range& rows) const {
    for_taps(m, rows,
             [&](const float* map, std::ptrdiff_t i, std::ptrdiff_t j, std::size_t n,
                 std::size_t count) HWY_ATTR { copy_tap(m, map, i, j, n, count); });
  }

 private:
  struct Segment {
    std::ptrdiff_t row, first;  // in the map, for tap (0, 0)
    std::ptrdiff_t length;
    float* to;
    std::size_t stride;
  };

  // See for_taps().
  HWY_INLINE void copy_tap(const ColumnMatrix& m, const float* HWY_RESTRICT map, std::ptrdiff_t i,
                           std::ptrdiff_t j, std::size_t n, std::size_t count) const {
    for (const Segment* s = segments_; s != segments_ + count_; ++s) {
      const std::ptrdiff_t row = s->row + i, first = s->first + j * m.batch;
      const bool inside = row >= 0 && row < m.height;
      const std::ptrdiff_t begin = std::clamp<std::ptrdiff_t>(-first, 0, s->length);
      const std::ptrdiff_t end = inside ? std::clamp(m.line - first, begin, s->length) : begin;
      const float* from = map + row * m.line + first;
      float* to = s->to + n * s->stride;
      for (std::ptrdiff_t at = 0; at < s->length; at += static_cast<std::ptrdiff_t>(kLanes))
        copy_vectors(from + at, m.map(), begin - at, end - at, s->length - at, to + at,
                     static_cast<std::size_t>(m.taps()) * s->stride, count);
    }
  }

  // Copies a vector of each of `count` rows: its lanes [begin, end) of `length`; others become
  // zero.
  static HWY_INLINE void copy_vectors(const float* HWY_RESTRICT from, std::ptrdiff_t from_step,
                                      std::ptrdiff_t begin, std::ptrdiff_t end,
                                      std::ptrdiff_t length, float* HWY_RESTRICT to,
                                      std::size_t to_step, std::size_t count) {
    constexpr auto kAll = static_cast<std::ptrdiff_t>(kLanes);
// Highway 1.0's scalar MaskedLoad() reads what it then masks, and does not say so.
#if HWY_MEM_OPS_MIGHT_FAULT || HWY_TARGET == HWY_SCALAR
    length = std::min(length, kAll);
    begin = std::clamp<std::ptrdiff_t>(begin, 0, length);
    end = std::clamp(end, begin, length);
    for (; count > 0; --count, from += from_step, to += to_step) {
      std::fill(to, to + begin, 0.0f);
      std::copy(from + begin, from + end, to + begin);
      std::fill(to + end, to + length, 0.0f);
    }
#else
    const Lanes d;
    if (begin <= 0 && end >= kAll) {
      for (; count > 0; --count, from += from_step, to += to_step)
        hn::StoreU(hn::LoadU(d, from), d, to);
      return;
    }
    const auto first_n = [&](std::ptrdiff_t n) HWY_ATTR {
      return hn::FirstN(d, static_cast<std::size_t>(std::clamp<std::ptrdiff_t>(n, 0, kAll)));
    };
    const auto inside = hn::AndNot(first_n(begin), first_n(end)), all = first_n(length);
    for (; count > 0; --count, from += from_step, to += to_step)
      hn::BlendedStore(hn::MaskedLoad(inside, d, from), all, d, to);
#endif
  }

  Segment segments_[kMostColumns];
  int count_ = 0;
};

// Columns of the matrix lane by lane, for where hardly any two take neighbouring elements.
class GatheredColumns {
 public:
  // Whether that is so, and indices suffice.
  static bool suits(const ColumnMatrix& m) {
    const bool short_runs = m.stride_width == 1 ? m.out_line < 4 : m.batch < 8;
    return short_runs && m.map() <= std::numeric_limits<std::int32_t>::max();
  }

  // As ColumnSegments::add(), but whole vectors are written.
  void add(const ColumnMatrix& m, const Range& columns, float* to, std::size_t stride) {
    for (std::size_t at = columns.begin; at < columns.end; at += kLanes, to += kLanes) {
      Columns& next = columns_[count_++];
      for (std::size_t lane = 0; lane < kLanes; ++lane) {
        const bool outside = at + lane >= columns.end;
        const auto column = static_cast<std::ptrdiff_t>(at + lane);
        const std::ptrdiff_t x = column % m.out_line / m.batch;
        const std::ptrdiff_t row = column / m.out_line * m.stride_height - m.top;
        const std::ptrdiff_t first = (x * m.stride_width - m.left) * m.batch + column % m.batch;
        next.row[lane] = outside ? kOutside : static_cast<std::int32_t>(row);
        next.first[lane] = static_cast<std::int32_t>(first);
      }
      next.to = to;
      next.stride = stride;
    }
  }

  // As ColumnSegments::copy().
  HWY_INLINE void copy(const ColumnMatrix& m, const Range& rows) const {
    for_taps(m, rows,
             [&](const float* map, std::ptrdiff_t i, std::ptrdiff_t j, std::size_t n,
                 std::size_t count) HWY_ATTR {
               for (const Columns* c = columns_; c != columns_ + count_; ++c)
                 copy_tap(m, *c, map, i, j, n, count);
             });
  }

 private:
  static constexpr std::int32_t kOutside = std::numeric_limits<std::int32_t>::min() / 2;
  struct Columns {
    HWY_ALIGN std::int32_t row[kLanes];
    HWY_ALIGN std::int32_t first[kLanes];  // in the map's row, for tap (0, 0)
    float* to;
    std::size_t stride;
  };

  static HWY_INLINE void copy_tap(const ColumnMatrix& m, const Columns& columns, const float* map,
                                  std::ptrdiff_t i, std::ptrdiff_t j, std::size_t n,
                                  std::size_t count) {
    const Lanes d;
    const hn::RebindToSigned<Lanes> di;
    const auto set = [&](std::ptrdiff_t value)
                         HWY_ATTR { return hn::Set(di, static_cast<std::int32_t>(value)); };
    const auto row = hn::Add(hn::Load(di, columns.row), set(i));
    const auto first = hn::Add(hn::Load(di, columns.first), set(j * m.batch));
    const auto below = [&](hn::Vec<decltype(di)> v, std::ptrdiff_t size) HWY_ATTR {
      return hn::And(hn::VecFromMask(di, hn::Gt(v, set(-1))),
                     hn::VecFromMask(di, hn::Lt(v, set(size))));
    };
    const auto inside = hn::And(below(row, m.height), below(first, m.line));
    const auto index = hn::And(inside, hn::Add(hn::Mul(row, set(m.line)), first));
    float* to = columns.to + n * columns.stride;
    for (; count > 0; --count, map += m.map()) {
      hn::StoreU(hn::And(hn::BitCast(d, inside), hn::GatherIndex(d, map, index)), d, to);
      to += static_cast<std::size_t>(m.taps()) * columns.stride;
    }
  }

  Columns columns_[ceil_div(kMostColumns, kLanes)];
  int count_ = 0;
};

// Calls work(columns) for an empty set of the kind that suits the matrix.
template <class Work>
HWY_INLINE void with_columns(const ColumnMatrix& m, const Work& work) {
  if (GatheredColumns::suits(m)) {
    GatheredColumns columns;
    work(columns);
  } else {
    ColumnSegments columns;
    work(columns);
  }
}

// The column matrix as a right factor: its rows are the inner side. Row after row is packed, over
// all columns of the block: maps lie far apart, so that short pieces of each would come slowly.
class ColumnPacker {
 public:
  static constexpr std::size_t kPlanes = 1;
  explicit ColumnPacker(const ColumnMatrix& matrix) : m_(matrix) {}

  template <class PanelOf>
  HWY_INLINE void pack_block(const Range& columns, const Range& inner,
                             const PanelOf& panel_of) const {
    with_columns(m_, [&](auto& cut) HWY_ATTR {
      for_parts(columns.size(), kLanes, 2, [&](const Part& part) {
        const Panel panel = panel_of(part);
        const std::size_t first = columns.begin + part.first;
        cut.add(m_, {first, first + part.count}, panel.data, panel.width);
        for (std::size_t n = part.count; n < part.width; ++n)
          for (std::size_t k = 0; k < panel.inner; ++k) panel.data[k * panel.width + n] = 0.0f;
      });
      cut.copy(m_, inner);
    });
  }

 private:
  const ColumnMatrix m_;
};

// Its transpose: its columns are the inner side.
class TransposedColumnPacker {
 public:
  static constexpr std::size_t kPlanes = 1;
  explicit TransposedColumnPacker(const ColumnMatrix& matrix) : m_(matrix) {}

  template <class PanelOf>
  HWY_INLINE void pack_block(const Range& columns, const Range& inner,
                             const PanelOf& panel_of) const {
    HWY_ALIGN float block[2 * kMostLanes * kInnerRun];
    with_columns(m_, [&](auto& cut) HWY_ATTR {
      cut.add(m_, inner, block, kInnerRun);
      for_parts(columns.size(), kLanes, 2, [&](const Part& part) HWY_ATTR {
        const std::size_t first = columns.begin + part.first;
        cut.copy(m_, {first, first + part.count});
        pack_columns<Itself>({block, nullptr, kInnerRun, Transpose::kNo}, 0, part.count,
                             panel_of(part));
      });
    });
  }

 private:
  const ColumnMatrix m_;
};

}  // namespace convoy::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
