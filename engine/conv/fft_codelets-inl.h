// Discrete Fourier transforms of one small size, in registers; included by fft_transform.cpp once
// for each instruction set.
//
// The real transform of size N is a product with cosines and sines. Points that mirror each other
// have the same cosines and opposite sines, so their sums and differences need half a matrix each.
// Where N is even, so is the matrix' other side: frequencies k and N/2 - k differ only in the signs
// of the odd points. That leaves about N * N / 4 multiplications, without a fast transform's
// demands on N. Where few of the points are not zero, or wanted, only the second symmetry is used.

#if defined(CONVOY_ENGINE_CONV_FFT_CODELETS_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef CONVOY_ENGINE_CONV_FFT_CODELETS_INL_H_
#undef CONVOY_ENGINE_CONV_FFT_CODELETS_INL_H_
#else
#define CONVOY_ENGINE_CONV_FFT_CODELETS_INL_H_
#endif

#include <hwy/highway.h>

#include "engine/conv/fft_circle.h"
#include "engine/conv/fft_transform.h"

HWY_BEFORE_NAMESPACE();
namespace convoy::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

using Lanes = hn::CappedTag<float, kFftLanes>;
using Vector = hn::Vec<Lanes>;

template <std::size_t kSize>
struct Dft {
  static constexpr std::size_t kHalf = kSize / 2, kSines = (kSize - 1) / 2;
  static constexpr bool kEven = kSize % 2 == 0;
  // Frequencies, or points, that remain of 0..kHalf by the second symmetry.
  static constexpr std::size_t kKept = kEven ? kHalf / 2 + 1 : kHalf + 1;
  static constexpr std::size_t kStep = kEven ? 2 : 1;

  // Index of frequency k's sine.
  static constexpr std::size_t sine(std::size_t k) { return kHalf + k; }

  // All points to all frequencies.
  static HWY_INLINE void forward(const Vector point[kSize], Vector out[kSize]) {
    const Lanes d;
    Vector sum[kHalf + 1], difference[kHalf + 1];
    sum[0] = point[0];
    if constexpr (kEven) sum[kHalf] = point[kHalf];
    HWY_UNROLL(32)
    for (std::size_t n = 1; n <= kSines; ++n) {
      sum[n] = hn::Add(point[n], point[kSize - n]);
      difference[n] = hn::Sub(point[kSize - n], point[n]);
    }
    constexpr auto& circle = kFftCircle<kSize, FftWeights::kNone>;
    const auto cosines = [&](std::size_t k, std::size_t first) {
      Vector total = k == 0 ? sum[first] : hn::Mul(sum[first], hn::Set(d, circle.cosine[first][k]));
      HWY_UNROLL(32)
      for (std::size_t n = first + kStep; n <= kHalf; n += kStep)
        total = k == 0 ? hn::Add(sum[n], total)
                       : hn::MulAdd(sum[n], hn::Set(d, circle.cosine[n][k]), total);
      return total;
    };
    const auto sines = [&](std::size_t k, std::size_t first) {
      Vector total = hn::Mul(difference[first], hn::Set(d, circle.sine[first][k]));
      HWY_UNROLL(32)
      for (std::size_t n = first + kStep; n <= kSines; n += kStep)
        total = hn::MulAdd(difference[n], hn::Set(d, circle.sine[n][k]), total);
      return total;
    };
    HWY_UNROLL(32)
    for (std::size_t k = 0; k < kKept; ++k) {
      if (!kEven || 2 * k == kHalf) {
        out[k] = cosines(k, 0);
        if (k > 0) out[sine(k)] = sines(k, 1);
        continue;
      }
      const Vector even = cosines(k, 0), odd = cosines(k, 1);
      out[k] = hn::Add(even, odd);
      out[kHalf - k] = hn::Sub(even, odd);
      if (k == 0) continue;
      const Vector even_sine = sines(k, 2), odd_sine = sines(k, 1);
      out[sine(k)] = hn::Add(odd_sine, even_sine);
      out[sine(kHalf - k)] = hn::Sub(odd_sine, even_sine);
    }
  }

  // And back.
  template <FftWeights kWeights>
  static HWY_INLINE void inverse(const Vector in[kSize], Vector point[kSize]) {
    const Lanes d;
    constexpr auto& circle = kFftCircle<kSize, kWeights>;
    const auto cosines = [&](std::size_t n, std::size_t first) {
      const auto factor = [&](std::size_t k) { return hn::Set(d, circle.cosine[n][k]); };
      Vector total = hn::Mul(in[first], factor(first));
      HWY_UNROLL(32)
      for (std::size_t k = first + kStep; k <= kHalf; k += kStep)
        total = hn::MulAdd(in[k], factor(k), total);
      return total;
    };
    const auto sines = [&](std::size_t n, std::size_t first) {
      const auto factor = [&](std::size_t k) { return hn::Set(d, circle.sine[n][k]); };
      Vector total = hn::Mul(in[sine(first)], factor(first));
      HWY_UNROLL(32)
      for (std::size_t k = first + kStep; k <= kSines; k += kStep)
        total = hn::MulAdd(in[sine(k)], factor(k), total);
      return total;
    };
    const auto mirror = [&](std::size_t n, Vector cosine, Vector sine) {
      point[n] = hn::Sub(cosine, sine);
      point[kSize - n] = hn::Add(cosine, sine);
    };
    HWY_UNROLL(32)
    for (std::size_t n = 0; n < kKept; ++n) {
      if (!kEven || 2 * n == kHalf) {
        if (n == 0)
          point[0] = cosines(0, 0);
        else
          mirror(n, cosines(n, 0), sines(n, 1));
        continue;
      }
      const Vector even = cosines(n, 0), odd = cosines(n, 1);
      if (n == 0) {
        point[0] = hn::Add(even, odd);
        point[kHalf] = hn::Sub(even, odd);
        continue;
      }
      const Vector even_sine = sines(n, 2), odd_sine = sines(n, 1);
      mirror(n, hn::Add(even, odd), hn::Add(odd_sine, even_sine));
      mirror(kHalf - n, hn::Sub(even, odd), hn::Sub(odd_sine, even_sine));
    }
  }

  // The points of a span, the others being zero. load(n) is the n-th of them.
  template <class Load>
  static HWY_INLINE void forward_few(const FftSpan& span, const Load& load, Vector out[kSize]) {
    const Lanes d;
    constexpr auto& circle = kFftCircle<kSize, FftWeights::kNone>;
    const auto sums = [&](std::size_t first, Vector cosine[kKept], Vector sine[kKept]) {
      HWY_UNROLL(32)
      for (std::size_t k = 0; k < kKept; ++k) cosine[k] = sine[k] = hn::Zero(d);
      for (std::size_t n = first; n < span.count; n += kStep) {
        const Vector value = load(n);
        const float* const cosines = circle.cosine[on_circle(span, n)];
        const float* const sines = circle.sine[on_circle(span, n)];
        HWY_UNROLL(32)
        for (std::size_t k = 0; k < kKept; ++k) {
          cosine[k] = hn::MulAdd(value, hn::Set(d, cosines[k]), cosine[k]);
          if (k > 0) sine[k] = hn::NegMulAdd(value, hn::Set(d, sines[k]), sine[k]);
        }
      }
    };
    Vector even[kKept], even_sine[kKept];
    sums(kEven ? span.at % 2 : 0, even, even_sine);
    if constexpr (kEven) {
      Vector odd[kKept], odd_sine[kKept];
      sums(1 - span.at % 2, odd, odd_sine);
      HWY_UNROLL(32)
      for (std::size_t k = 0; k < kKept; ++k) {
        out[kHalf - k] = hn::Sub(even[k], odd[k]);
        out[k] = hn::Add(even[k], odd[k]);
        if (k == 0) continue;
        out[sine(kHalf - k)] = hn::Sub(odd_sine[k], even_sine[k]);
        out[sine(k)] = hn::Add(odd_sine[k], even_sine[k]);
      }
    } else {
      HWY_UNROLL(32)
      for (std::size_t k = 0; k < kKept; ++k) {
        out[k] = even[k];
        if (k > 0) out[sine(k)] = even_sine[k];
      }
    }
  }

  // Only the points of a span. store(n, point) gets the n-th of them.
  template <FftWeights kWeights, class Store>
  static HWY_INLINE void inverse_few(const Vector in[kSize], const FftSpan& span,
                                     const Store& store) {
    const Lanes d;
    constexpr auto& circle = kFftCircle<kSize, kWeights>;
    const auto points = [&](std::size_t first, const Vector cosine[kKept],
                            const Vector sine[kKept]) {
      for (std::size_t n = first; n < span.count; n += kStep) {
        const float* const cosines = circle.cosine[on_circle(span, n)];
        const float* const sines = circle.sine[on_circle(span, n)];
        Vector value = hn::Mul(cosine[0], hn::Set(d, cosines[0])), other = hn::Zero(d);
        HWY_UNROLL(32)
        for (std::size_t k = 1; k < kKept; ++k) {
          value = hn::MulAdd(cosine[k], hn::Set(d, cosines[k]), value);
          other = hn::MulAdd(sine[k], hn::Set(d, sines[k]), other);
        }
        store(n, hn::Sub(value, other));
      }
    };
    if constexpr (kEven) {
      Vector even[kKept], even_sine[kKept], odd[kKept], odd_sine[kKept];
      HWY_UNROLL(32)
      for (std::size_t k = 0; k < kKept; ++k) {
        const bool alone = 2 * k == kHalf;
        even[k] = alone ? in[k] : hn::Add(in[k], in[kHalf - k]);
        odd[k] = alone ? in[k] : hn::Sub(in[k], in[kHalf - k]);
        if (k == 0) continue;
        even_sine[k] = alone ? in[sine(k)] : hn::Sub(in[sine(k)], in[sine(kHalf - k)]);
        odd_sine[k] = alone ? in[sine(k)] : hn::Add(in[sine(k)], in[sine(kHalf - k)]);
      }
      points(span.at % 2, even, even_sine);
      points(1 - span.at % 2, odd, odd_sine);
    } else {
      points(0, in, in + kHalf);
    }
  }

 private:
  static HWY_INLINE std::size_t on_circle(const FftSpan& span, std::size_t n) {
    const std::size_t at = span.at + n;
    return at < kSize ? at : at - kSize;
  }
};

}  // namespace convoy::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
