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

#include "engine/conv/column_matrix.h"
#include "engine/conv/factor_packing-inl.h"
#include "engine/conv/product_panel.h"
#include "engine/conv/product_tiles-inl.h"

HWY_BEFORE_NAMESPACE();
namespace convoy::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

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

  // The n-th row, that of tap (i, j) of a channel. May write a vector beyond a segment's end, which
  // is to be overwritten.
  HWY_INLINE void copy(const ColumnMatrix& m, const float* HWY_RESTRICT map, std::ptrdiff_t i,
                       std::ptrdiff_t j, std::size_t n) const {
    for (const Segment* s = segments_; s != segments_ + count_; ++s) {
      const std::ptrdiff_t row = s->row + i, first = s->first + j * m.batch;
      const bool inside = row >= 0 && row < m.height;
      const std::ptrdiff_t begin = std::clamp<std::ptrdiff_t>(-first, 0, s->length);
      const std::ptrdiff_t end = inside ? std::clamp(m.line - first, begin, s->length) : begin;
      copy_part(map + row * m.line + first, begin, end, s->length, s->to + n * s->stride);
    }
  }

 private:
  struct Segment {
    std::ptrdiff_t row, first;  // in the map, for tap (0, 0)
    std::ptrdiff_t length;
    float* to;
    std::size_t stride;
  };

  // Copies [begin, end) of `length` floats; the others become zero.
  static HWY_INLINE void copy_part(const float* HWY_RESTRICT from, std::ptrdiff_t begin,
                                   std::ptrdiff_t end, std::ptrdiff_t length,
                                   float* HWY_RESTRICT to) {
#if HWY_MEM_OPS_MIGHT_FAULT
    std::fill(to, to + begin, 0.0f);
    std::copy(from + begin, from + end, to + begin);
    std::fill(to + end, to + length, 0.0f);
#else
    const Lanes d;
    constexpr auto kStep = static_cast<std::ptrdiff_t>(kLanes);
    const auto first_n = [&](std::ptrdiff_t n) HWY_ATTR {
      return hn::FirstN(d, static_cast<std::size_t>(std::clamp<std::ptrdiff_t>(n, 0, kStep)));
    };
    if (begin == 0 && end == length && length % kStep == 0) {
      for (std::ptrdiff_t n = 0; n < length; n += kStep)
        hn::StoreU(hn::LoadU(d, from + n), d, to + n);
      return;
    }
    for (std::ptrdiff_t n = 0; n < length; n += kStep) {
      const auto inside = hn::AndNot(first_n(begin - n), first_n(end - n));
      hn::StoreU(hn::MaskedLoad(inside, d, from + n), d, to + n);
    }
#endif
  }

  Segment segments_[kMostColumns];
  int count_ = 0;
};

// Walks rows of the column matrix in order: their maps and taps, the taps backwards where the
// matrix is turned.
class RowWalk {
 public:
  RowWalk(const ColumnMatrix& m, std::size_t row)
      : m_(m),
        map_(m.input + static_cast<std::ptrdiff_t>(row) / m.taps() * m.map()),
        i_(static_cast<std::ptrdiff_t>(row) % m.taps() / m.kernel_width),
        j_(static_cast<std::ptrdiff_t>(row) % m.kernel_width) {}

  HWY_INLINE void copy_next(const ColumnSegments& segments, std::size_t n) {
    if (m_.turned)
      segments.copy(m_, map_, m_.kernel_height - 1 - i_, m_.kernel_width - 1 - j_, n);
    else
      segments.copy(m_, map_, i_, j_, n);
    if (++j_ < m_.kernel_width) return;
    j_ = 0;
    if (++i_ < m_.kernel_height) return;
    i_ = 0;
    map_ += m_.map();
  }

 private:
  const ColumnMatrix& m_;
  const float* map_;
  std::ptrdiff_t i_, j_;
};

// The column matrix as a right factor: its rows are the inner side. Row after row is packed, over
// all columns of the block: maps lie far apart, so that short pieces of each would come slowly.
class ColumnPacker {
 public:
  static constexpr std::size_t kPlanes = 1, kMargin = kMostLanes;
  explicit ColumnPacker(const ColumnMatrix& matrix) : m_(matrix) {}

  template <class PanelOf>
  HWY_INLINE void pack_block(const Range& columns, const Range& inner,
                             const PanelOf& panel_of) const {
    ColumnSegments segments;
    for_parts(columns.size(), kLanes, 2, [&](const Part& part) {
      const Panel panel = panel_of(part);
      const std::size_t first = columns.begin + part.first;
      segments.add(m_, {first, first + part.count}, panel.data, panel.width);
      for (std::size_t n = part.count; n < part.width; ++n)
        for (std::size_t k = 0; k < panel.inner; ++k) panel.data[k * panel.width + n] = 0.0f;
    });
    RowWalk rows(m_, inner.begin);
    for (std::size_t n = 0; n < inner.size(); ++n) rows.copy_next(segments, n);
  }

 private:
  const ColumnMatrix m_;
};

// Its transpose: its columns are the inner side.
class TransposedColumnPacker {
 public:
  static constexpr std::size_t kPlanes = 1, kMargin = 0;
  explicit TransposedColumnPacker(const ColumnMatrix& matrix) : m_(matrix) {}

  template <class PanelOf>
  HWY_INLINE void pack_block(const Range& columns, const Range& inner,
                             const PanelOf& panel_of) const {
    HWY_ALIGN float block[2 * kMostLanes * kInnerRun + kMostLanes];
    ColumnSegments segments;
    segments.add(m_, inner, block, kInnerRun);
    RowWalk rows(m_, columns.begin);
    for_parts(columns.size(), kLanes, 2, [&](const Part& part) {
      for (std::size_t n = 0; n < part.count; ++n) rows.copy_next(segments, n);
      pack_columns<Itself>({block, nullptr, kInnerRun, Transpose::kNo}, 0, part.count,
                           panel_of(part));
    });
  }

 private:
  const ColumnMatrix m_;
};

}  // namespace convoy::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
