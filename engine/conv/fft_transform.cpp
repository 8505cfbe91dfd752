#include "engine/conv/fft_transform.h"

#include <cmath>
#include <cstdint>
#include <cstring>
#include <numbers>

// Highway compiles this file once for each instruction set and picks one when the program runs.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "engine/conv/fft_transform.cpp"

#include <hwy/foreach_target.h>
// After foreach_target.h, as Highway wants it.
#include <hwy/cache_control.h>
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace convoy::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

using Lanes = hn::CappedTag<float, kFftLanes>;

// result[r] = sum over i of matrix[r][i] * operand[i], for lines of `width` floats. Four results at
// a time use each loaded operand four times.
template <bool kAdd>
HWY_INLINE void multiply(const float* HWY_RESTRICT matrix, std::size_t matrix_stride,
                         std::size_t results, std::size_t inner, const float* operand,
                         std::size_t operand_stride, float* result, std::size_t result_stride,
                         std::size_t width) {
  const Lanes d;
  const auto store = [&](auto value, float* to) {
    if constexpr (kAdd) value = hn::Add(value, hn::LoadU(d, to));
    hn::StoreU(value, d, to);
  };
  std::size_t r = 0;
  for (; r + 4 <= results; r += 4) {
    const float* HWY_RESTRICT m = matrix + r * matrix_stride;
    float* const to = result + r * result_stride;
    for (std::size_t lane = 0; lane < width; lane += hn::Lanes(d)) {
      auto sum0 = hn::Zero(d), sum1 = sum0, sum2 = sum0, sum3 = sum0;
      for (std::size_t i = 0; i < inner; ++i) {
        const auto value = hn::LoadU(d, operand + i * operand_stride + lane);
        sum0 = hn::MulAdd(hn::Set(d, m[i]), value, sum0);
        sum1 = hn::MulAdd(hn::Set(d, m[matrix_stride + i]), value, sum1);
        sum2 = hn::MulAdd(hn::Set(d, m[2 * matrix_stride + i]), value, sum2);
        sum3 = hn::MulAdd(hn::Set(d, m[3 * matrix_stride + i]), value, sum3);
      }
      store(sum0, to + lane);
      store(sum1, to + result_stride + lane);
      store(sum2, to + 2 * result_stride + lane);
      store(sum3, to + 3 * result_stride + lane);
    }
  }
  for (; r < results; ++r)
    for (std::size_t lane = 0; lane < width; lane += hn::Lanes(d)) {
      auto sum = hn::Zero(d);
      for (std::size_t i = 0; i < inner; ++i)
        sum = hn::MulAdd(hn::Set(d, matrix[r * matrix_stride + i]),
                         hn::LoadU(d, operand + i * operand_stride + lane), sum);
      store(sum, result + r * result_stride + lane);
    }
}

// The four real numbers of a pair of points F(k, m), F(-k, m), from the transforms of the real and
// of the imaginary parts of the rows' coefficients, and back.
HWY_INLINE void combine(const float* grid, std::size_t stride, const std::size_t planes[4],
                        float* spectrum) {
  const Lanes d;
  for (std::size_t lane = 0; lane < kFftLanes; lane += hn::Lanes(d)) {
    const auto load = [&](std::size_t n) {
      return hn::LoadU(d, grid + planes[n] * kFftLanes + lane);
    };
    const auto store = [&](auto value, std::size_t n) {
      hn::StoreU(value, d, spectrum + planes[n] * stride + lane);
    };
    const auto a_cos = load(0), a_sin = load(1), b_sin = load(2), b_cos = load(3);
    store(hn::Sub(a_cos, b_sin), 0);
    store(hn::Add(a_sin, b_cos), 1);
    store(hn::Add(a_cos, b_sin), 2);
    store(hn::Sub(b_cos, a_sin), 3);
  }
}

HWY_INLINE void separate(const float* spectrum, std::size_t stride, const std::size_t planes[4],
                         float* grid) {
  const Lanes d;
  const auto half = hn::Set(d, 0.5f);
  for (std::size_t lane = 0; lane < kFftLanes; lane += hn::Lanes(d)) {
    const auto load = [&](std::size_t n) {
      return hn::LoadU(d, spectrum + planes[n] * stride + lane);
    };
    const auto store = [&](auto value, std::size_t n) {
      hn::StoreU(hn::Mul(half, value), d, grid + planes[n] * kFftLanes + lane);
    };
    const auto real = load(0), imag = load(1), mirror_real = load(2), mirror_imag = load(3);
    store(hn::Add(real, mirror_real), 0);
    store(hn::Sub(imag, mirror_imag), 1);
    store(hn::Sub(mirror_real, real), 2);
    store(hn::Add(imag, mirror_imag), 3);
  }
}

HWY_INLINE void copy_lanes(const float* from, float* to) {
  const Lanes d;
  for (std::size_t lane = 0; lane < kFftLanes; lane += hn::Lanes(d))
    hn::StoreU(hn::LoadU(d, from + lane), d, to + lane);
}

// Calls pair(planes) for every pair of points and single(plane) for all other planes.
template <class Pair, class Single>
HWY_INLINE void walk_points(std::size_t height, std::size_t width, const Pair& pair,
                            const Single& single) {
  const std::size_t rows = (height - 1) / 2, columns = (width - 1) / 2;  // with a sine
  for (std::size_t k = 0; k < height; ++k) {
    const bool k_pairs = k >= 1 && k <= rows;
    const bool k_sine = k > height / 2;
    for (std::size_t m = 0; m < width; ++m) {
      if (k_pairs && m >= 1 && m <= columns) {
        const std::size_t planes[4] = {k * width + m, (height / 2 + k) * width + m,
                                       (height / 2 + k) * width + width / 2 + m,
                                       k * width + width / 2 + m};
        pair(planes);
      } else {
        const bool m_single = m == 0 || 2 * m == width;
        const bool k_single = !k_pairs && !k_sine;
        if (k_single || m_single) single(k * width + m);
      }
    }
  }
}

void forward_tiles(const FftMatrix& vertical, const FftMatrix& horizontal, const float* tiles,
                   const FftSpan& rows, const FftSpan& columns, float* spectrum,
                   std::size_t plane_stride, float* work) {
  const std::size_t height = vertical.size(), width = horizontal.size();
  const std::size_t line = width * kFftLanes;
  float* const grid = work + height * line;
  for (std::size_t row = 0; row < rows.count; ++row)
    multiply<false>(horizontal.analysis() + columns.at, 2 * width, width, columns.count,
                    tiles + row * rows.stride, columns.stride, work + row * line, kFftLanes,
                    kFftLanes);
  multiply<false>(vertical.analysis() + rows.at, 2 * height, height, rows.count, work, line, grid,
                  line, line);
  walk_points(
      height, width,
      [&](const std::size_t planes[4]) { combine(grid, plane_stride, planes, spectrum); },
      [&](std::size_t plane) {
        copy_lanes(grid + plane * kFftLanes, spectrum + plane * plane_stride);
      });
}

void inverse_tiles(const FftMatrix& vertical, const FftMatrix& horizontal, const float* spectrum,
                   std::size_t plane_stride, const FftSpan& rows, const FftSpan& columns, bool add,
                   float* tiles, float* work) {
  const std::size_t height = vertical.size(), width = horizontal.size();
  const std::size_t line = width * kFftLanes;
  float* const grid = work + height * line;
  walk_points(
      height, width,
      [&](const std::size_t planes[4]) { separate(spectrum, plane_stride, planes, grid); },
      [&](std::size_t plane) {
        copy_lanes(spectrum + plane * plane_stride, grid + plane * kFftLanes);
      });
  multiply<false>(vertical.synthesis() + rows.at * height, height, rows.count, height, grid, line,
                  work, line, line);
  const float* matrix = horizontal.synthesis() + columns.at * width;
  for (std::size_t row = 0; row < rows.count; ++row) {
    float* const to = tiles + row * rows.stride;
    if (add)
      multiply<true>(matrix, width, columns.count, width, work + row * line, kFftLanes, to,
                     columns.stride, kFftLanes);
    else
      multiply<false>(matrix, width, columns.count, width, work + row * line, kFftLanes, to,
                      columns.stride, kFftLanes);
  }
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
  if (whole > 0) hwy::FlushStream();
}

}  // namespace convoy::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace convoy {

HWY_EXPORT(forward_tiles);
HWY_EXPORT(inverse_tiles);
HWY_EXPORT(spread_run);

void spread_lanes(const float* staged, std::size_t staged_stride, std::size_t planes,
                  std::size_t count, float* row, std::size_t plane_stride, bool streamed) {
  HWY_DYNAMIC_DISPATCH(spread_run)
  (staged, staged_stride, planes, count, row, plane_stride, streamed);
}

FftMatrix::FftMatrix(int size)
    : size_(static_cast<std::size_t>(size)),
      analysis_(2 * size_ * size_),
      synthesis_(2 * size_ * size_) {
  const double step = 2 * std::numbers::pi / size;
  for (std::size_t c = 0; c < size_; ++c) {
    const bool sine = c > size_ / 2;
    const std::size_t frequency = sine ? c - size_ / 2 : c;
    const bool is_own_negative = frequency == 0 || 2 * frequency == size_;
    const double weight = (is_own_negative ? 1.0 : 2.0) / size;
    for (std::size_t n = 0; n < 2 * size_; ++n) {
      const double angle = step * static_cast<double>(frequency * n % size_);
      const double value = sine ? -std::sin(angle) : std::cos(angle);
      analysis_[c * 2 * size_ + n] = static_cast<float>(value);
      synthesis_[n * size_ + c] = static_cast<float>(weight * value);
    }
  }
}

FftTransform::FftTransform(int vertical_size, int horizontal_size)
    : vertical_(vertical_size), horizontal_(horizontal_size) {}

void FftTransform::forward(const float* tiles, const FftSpan& rows, const FftSpan& columns,
                           float* spectrum, std::size_t plane_stride, float* work) const {
  HWY_DYNAMIC_DISPATCH(forward_tiles)
  (vertical_, horizontal_, tiles, rows, columns, spectrum, plane_stride, work);
}

void FftTransform::inverse(const float* spectrum, std::size_t plane_stride, const FftSpan& rows,
                           const FftSpan& columns, bool add, float* tiles, float* work) const {
  HWY_DYNAMIC_DISPATCH(inverse_tiles)
  (vertical_, horizontal_, spectrum, plane_stride, rows, columns, add, tiles, work);
}

}  // namespace convoy
#endif
