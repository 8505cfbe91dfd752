#include "engine/conv/fft_transform.h"

#include <cstdint>
#include <cstring>
#include <utility>

// Highway compiles this file once for each instruction set and picks one when the program runs.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "engine/conv/fft_transform.cpp"

#include <hwy/foreach_target.h>
// After foreach_target.h, as Highway wants it.
#include <hwy/cache_control.h>
#include <hwy/highway.h>

#include "engine/conv/fft_codelets-inl.h"
#include "engine/conv/fft_geometry.h"

HWY_BEFORE_NAMESPACE();
namespace convoy::HWY_NAMESPACE {

// Asks for one of `parts` parts of what comes next, into the second-level cache: the first has no
// room for it.
HWY_INLINE void fetch(const FftAhead& ahead, std::size_t part, std::size_t parts) {
  for (std::size_t row = ahead.rows * part / parts; row < ahead.rows * (part + 1) / parts; ++row)
    for (std::size_t n = 0; n < ahead.columns; ++n)
      __builtin_prefetch(ahead.first + row * ahead.row_stride + n * ahead.column_stride, 0, 2);
}

// Transforms of one size along rows and columns. Between the two a tile is a grid that has a line
// of kSize x kFftLanes floats for each of its rows that is not zero, or wanted; a spectrum has rows
// of `width` planes.
template <std::size_t kSize>
class Lines {
 public:
  static void forward_rows(const float* tiles, const FftSpan& rows, const FftSpan& columns,
                           float* grid) {
    const Lanes d;
    const Span span(columns);
    for (std::size_t row = 0; row < rows.count; ++row, tiles += rows.stride, grid += kLine)
      for (std::size_t lane = 0; lane < kFftLanes; lane += hn::Lanes(d)) {
        Vector out[kSize];
        span.forward([&](std::size_t n) { return hn::LoadU(d, tiles + n * columns.stride + lane); },
                     out);
        HWY_UNROLL(32)
        for (std::size_t k = 0; k < kSize; ++k) hn::StoreU(out[k], d, grid + k * kFftLanes + lane);
      }
  }

  static void forward_columns(const float* grid, std::size_t width, const FftSpan& rows,
                              float* spectrum, std::size_t plane_stride, bool streamed,
                              const FftAhead& ahead) {
    const Lanes d;
    const Span span(rows);
    for_columns(width, [&](const std::size_t columns[2], std::size_t count, std::size_t lane) {
      if (lane == 0) fetch(ahead, columns[0], width / 2 + 1);
      Vector out[2][kSize];
      for (std::size_t n = 0; n < count; ++n) {
        const float* const from = grid + columns[n] * kFftLanes + lane;
        span.forward([&](std::size_t row) { return hn::LoadU(d, from + row * width * kFftLanes); },
                     out[n]);
      }
      const auto store = [&](Vector value, std::size_t row, std::size_t n) {
        float* const to = spectrum + (row * width + columns[n]) * plane_stride + lane;
        if (streamed)
          hn::Stream(value, d, to);
        else
          hn::StoreU(value, d, to);
      };
      if (count == 1) {
        for (std::size_t k = 0; k < kSize; ++k) store(out[0][k], k, 0);
        return;
      }
      for (std::size_t k = 0; k <= kSize / 2; ++k) {
        if (is_own_negative(k)) {
          store(out[0][k], k, 0);
          store(out[1][k], k, 1);
          continue;
        }
        const std::size_t sine = kSize / 2 + k;
        store(hn::Sub(out[0][k], out[1][sine]), k, 0);
        store(hn::Add(out[0][sine], out[1][k]), sine, 0);
        store(hn::Add(out[0][k], out[1][sine]), sine, 1);
        store(hn::Sub(out[1][k], out[0][sine]), k, 1);
      }
    });
  }

  static void inverse_columns(const float* spectrum, std::size_t plane_stride, std::size_t width,
                              const FftSpan& rows, float* grid) {
    const Lanes d;
    const Span span(rows);
    for_columns(width, [&](const std::size_t columns[2], std::size_t count, std::size_t lane) {
      const auto load = [&](std::size_t row, std::size_t n) {
        return hn::LoadU(d, spectrum + (row * width + columns[n]) * plane_stride + lane);
      };
      Vector in[2][kSize];
      if (count == 1) {
        for (std::size_t k = 0; k < kSize; ++k) {
          const Vector value = load(k, 0);
          in[0][k] = is_own_negative(k) ? value : hn::Add(value, value);
        }
      } else {
        for (std::size_t k = 0; k <= kSize / 2; ++k) {
          if (is_own_negative(k)) {
            in[0][k] = load(k, 0);
            in[1][k] = load(k, 1);
            continue;
          }
          const std::size_t sine = kSize / 2 + k;
          const Vector real = load(k, 0), imaginary = load(sine, 0);
          const Vector mirror_real = load(sine, 1), mirror_imaginary = load(k, 1);
          in[0][k] = hn::Add(real, mirror_real);
          in[0][sine] = hn::Sub(imaginary, mirror_imaginary);
          in[1][sine] = hn::Sub(mirror_real, real);
          in[1][k] = hn::Add(imaginary, mirror_imaginary);
        }
      }
      for (std::size_t n = 0; n < count; ++n) {
        float* const to = grid + columns[n] * kFftLanes + lane;
        span.template inverse<FftWeights::kPaired>(in[n], [&](std::size_t row, Vector point) {
          hn::StoreU(point, d, to + row * width * kFftLanes);
        });
      }
    });
  }

  static void inverse_rows(const float* grid, const FftSpan& rows, const FftSpan& columns,
                           FftStore store, float* tiles, const FftAhead& ahead) {
    const Lanes d;
    const Span span(columns);
    for (std::size_t row = 0; row < rows.count; ++row, tiles += rows.stride, grid += kLine)
      for (std::size_t lane = 0; lane < kFftLanes; lane += hn::Lanes(d)) {
        if (lane == 0) fetch(ahead, row, rows.count);
        Vector in[kSize];
        HWY_UNROLL(32)
        for (std::size_t k = 0; k < kSize; ++k) in[k] = hn::LoadU(d, grid + k * kFftLanes + lane);
        span.template inverse<FftWeights::kAlone>(in, [&](std::size_t n, Vector point) {
          float* const to = tiles + n * columns.stride + lane;
          if (store == FftStore::kStream)
            hn::Stream(point, d, to);
          else
            hn::StoreU(store == FftStore::kAdd ? hn::Add(point, hn::LoadU(d, to)) : point, d, to);
        });
      }
  }

 private:
  static constexpr std::size_t kLine = kSize * kFftLanes;
  // Above, the code for all points at once takes more room than its speed is worth.
  static constexpr bool kDense = kSize <= (kSize % 2 == 0 ? 20 : 11);

  // A span, and which of its points each point of the circle is.
  class Span {
   public:
    explicit Span(const FftSpan& span) : span_(span), few_(!kDense || 2 * span.count <= kSize) {
      for (std::size_t n = 0; n < kSize; ++n)
        number_[n] = n >= span.at ? n - span.at : n + kSize - span.at;
    }

    template <class Load>
    HWY_INLINE void forward(const Load& load, Vector out[kSize]) const {
      if (few_) return Dft<kSize>::forward_few(span_, load, out);
      if constexpr (kDense) {
        Vector point[kSize];
        HWY_UNROLL(32)
        for (std::size_t n = 0; n < kSize; ++n)
          point[n] = has(n) ? load(number_[n]) : hn::Zero(Lanes());
        Dft<kSize>::forward(point, out);
      }
    }

    template <FftWeights kWeights, class Store>
    HWY_INLINE void inverse(const Vector in[kSize], const Store& store) const {
      if (few_) return Dft<kSize>::template inverse_few<kWeights>(in, span_, store);
      if constexpr (kDense) {
        Vector point[kSize];
        Dft<kSize>::template inverse<kWeights>(in, point);
        HWY_UNROLL(32)
        for (std::size_t n = 0; n < kSize; ++n)
          if (has(n)) store(number_[n], point[n]);
      }
    }

   private:
    bool has(std::size_t n) const { return number_[n] < span_.count; }

    FftSpan span_;
    bool few_;
    std::size_t number_[kSize];
  };

  static constexpr bool is_own_negative(std::size_t k) { return k == 0 || 2 * k == kSize; }

  // Calls work(columns, count, lane): the column of a frequency's cosines with that of its sines,
  // or one that has no partner.
  template <class Work>
  static HWY_INLINE void for_columns(std::size_t width, const Work& work) {
    for (std::size_t m = 0; m <= width / 2; ++m) {
      const std::size_t columns[] = {m, width / 2 + m};
      for (std::size_t lane = 0; lane < kFftLanes; lane += hn::Lanes(Lanes()))
        work(columns, m == 0 || 2 * m == width ? 1 : 2, lane);
    }
  }
};

// The functions of one size, to choose from when the program runs.
struct Codelets {
  decltype(&Lines<1>::forward_rows) forward_rows;
  decltype(&Lines<1>::forward_columns) forward_columns;
  decltype(&Lines<1>::inverse_columns) inverse_columns;
  decltype(&Lines<1>::inverse_rows) inverse_rows;
};

template <std::size_t... kIndices>
const Codelets& codelets_of(std::size_t size, std::index_sequence<kIndices...>) {
  static constexpr Codelets all[] = {
      {&Lines<kIndices + 1>::forward_rows, &Lines<kIndices + 1>::forward_columns,
       &Lines<kIndices + 1>::inverse_columns, &Lines<kIndices + 1>::inverse_rows}...};
  return all[size - 1];
}
const Codelets& codelets(std::size_t size) {
  return codelets_of(size, std::make_index_sequence<kLargestFft>());
}

void forward_tiles(std::size_t height, std::size_t width, const float* tiles, const FftSpan& rows,
                   const FftSpan& columns, float* spectrum, std::size_t plane_stride, bool streamed,
                   const FftAhead& ahead, float* work) {
  codelets(width).forward_rows(tiles, rows, columns, work);
  codelets(height).forward_columns(work, width, rows, spectrum, plane_stride, streamed, ahead);
}

void inverse_tiles(std::size_t height, std::size_t width, const float* spectrum,
                   std::size_t plane_stride, const FftSpan& rows, const FftSpan& columns,
                   FftStore store, float* tiles, const FftAhead& ahead, float* work) {
  codelets(height).inverse_columns(spectrum, plane_stride, width, rows, work);
  codelets(width).inverse_rows(work, rows, columns, store, tiles, ahead);
}

std::size_t vector_lanes() {
  return hn::Lanes(Lanes());
}

// Transposes the 4 x 4 blocks of `from`, kFftLanes rows of which `taps` are used, or back.
template <bool kToLanes>
HWY_INLINE void transpose_taps(const float* from, float* to, std::size_t taps) {
  std::size_t tap = 0;
#if HWY_TARGET != HWY_SCALAR
  const std::size_t row = kToLanes ? taps : kFftLanes, column = kToLanes ? kFftLanes : taps;
  const hn::FixedTag<float, 4> d;
  const std::size_t whole = taps / 4 * 4;
  for (; tap < whole; tap += 4)
    for (std::size_t lane = 0; lane < kFftLanes; lane += 4) {
      const float* const in = from + (kToLanes ? lane * row + tap : tap * row + lane);
      float* const out = to + (kToLanes ? tap * column + lane : lane * column + tap);
      const auto a = hn::LoadU(d, in), b = hn::LoadU(d, in + row);
      const auto c = hn::LoadU(d, in + 2 * row), e = hn::LoadU(d, in + 3 * row);
      const auto low0 = hn::InterleaveLower(d, a, c), low1 = hn::InterleaveLower(d, b, e);
      const auto high0 = hn::InterleaveUpper(d, a, c), high1 = hn::InterleaveUpper(d, b, e);
      hn::StoreU(hn::InterleaveLower(d, low0, low1), d, out);
      hn::StoreU(hn::InterleaveUpper(d, low0, low1), d, out + column);
      hn::StoreU(hn::InterleaveLower(d, high0, high1), d, out + 2 * column);
      hn::StoreU(hn::InterleaveUpper(d, high0, high1), d, out + 3 * column);
    }
#endif
  for (; tap < taps; ++tap)
    for (std::size_t lane = 0; lane < kFftLanes; ++lane) {
      if (kToLanes)
        to[tap * kFftLanes + lane] = from[lane * taps + tap];
      else
        to[lane * taps + tap] = from[tap * kFftLanes + lane];
    }
}

void taps_to_lanes(const float* weights, std::size_t taps, float* lanes) {
  transpose_taps<true>(weights, lanes, taps);
}
void lanes_to_taps(const float* lanes, std::size_t taps, float* weights) {
  transpose_taps<false>(lanes, weights, taps);
}

void spread_run(const float* staged, std::size_t staged_stride, std::size_t planes,
                std::size_t count, float* row, std::size_t plane_stride, bool streamed) {
  const Lanes d;
  const bool is_aligned = reinterpret_cast<std::uintptr_t>(row) % (kFftLanes * sizeof(float)) == 0;
  const std::size_t whole = streamed && is_aligned ? count / kFftLanes * kFftLanes : 0;
  for (std::size_t p = 0; p < planes; ++p, staged += staged_stride, row += plane_stride) {
    for (std::size_t lane = 0; lane < whole; lane += hn::Lanes(d))
      hn::Stream(hn::LoadU(d, staged + lane), d, row + lane);
    std::memcpy(row + whole, staged + whole, (count - whole) * sizeof(float));
  }
}

}  // namespace convoy::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace convoy {

HWY_EXPORT(forward_tiles);
HWY_EXPORT(inverse_tiles);
HWY_EXPORT(vector_lanes);
HWY_EXPORT(spread_run);
HWY_EXPORT(taps_to_lanes);
HWY_EXPORT(lanes_to_taps);

void spread_lanes(const float* staged, std::size_t staged_stride, std::size_t planes,
                  std::size_t count, float* row, std::size_t plane_stride, bool streamed) {
  HWY_DYNAMIC_DISPATCH(spread_run)
  (staged, staged_stride, planes, count, row, plane_stride, streamed);
}

void gather_taps(const float* weights, std::size_t taps, std::size_t channels, float* lanes) {
  if (channels == kFftLanes) return HWY_DYNAMIC_DISPATCH(taps_to_lanes)(weights, taps, lanes);
  for (std::size_t tap = 0; tap < taps; ++tap)
    for (std::size_t lane = 0; lane < kFftLanes; ++lane)
      lanes[tap * kFftLanes + lane] = lane < channels ? weights[lane * taps + tap] : 0.0f;
}

void scatter_taps(const float* lanes, std::size_t taps, std::size_t channels, float* weights) {
  if (channels == kFftLanes) return HWY_DYNAMIC_DISPATCH(lanes_to_taps)(lanes, taps, weights);
  for (std::size_t lane = 0; lane < channels; ++lane)
    for (std::size_t tap = 0; tap < taps; ++tap)
      weights[lane * taps + tap] = lanes[tap * kFftLanes + lane];
}

void flush_streams() {
  hwy::FlushStream();
}

FftTransform::FftTransform(int vertical_size, int horizontal_size)
    : height_(static_cast<std::size_t>(vertical_size)),
      width_(static_cast<std::size_t>(horizontal_size)),
      streams_(HWY_DYNAMIC_DISPATCH(vector_lanes)() == kFftLanes) {}

void FftTransform::forward(const float* tiles, const FftSpan& rows, const FftSpan& columns,
                           float* spectrum, std::size_t plane_stride, bool streamed,
                           const FftAhead& ahead, float* work) const {
  HWY_DYNAMIC_DISPATCH(forward_tiles)
  (height_, width_, tiles, rows, columns, spectrum, plane_stride, streamed, ahead, work);
}

void FftTransform::inverse(const float* spectrum, std::size_t plane_stride, const FftSpan& rows,
                           const FftSpan& columns, FftStore store, float* tiles,
                           const FftAhead& ahead, float* work) const {
  HWY_DYNAMIC_DISPATCH(inverse_tiles)
  (height_, width_, spectrum, plane_stride, rows, columns, store, tiles, ahead, work);
}

}  // namespace convoy
#endif
