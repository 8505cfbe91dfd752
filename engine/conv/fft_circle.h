// Cosines and sines of the points of a circle, for tables that the compiler computes.
#pragma once

#include <cstddef>
#include <numbers>

namespace convoy {

// cos(2 pi n / size), exact to the last bits of a double, and exactly 0, 1 or -1 where it is that.
constexpr double circle_cosine(std::size_t n, std::size_t size) {
  // An angle of a part / whole of a turn, from the first octant, where the series is short.
  std::size_t part = n % size * 8, whole = size * 8;
  if (2 * part > whole) part = whole - part;
  const bool negative = 4 * part > whole;
  if (negative) part = whole / 2 - part;
  const bool sine = 8 * part > whole;
  if (sine) part = whole / 4 - part;
  const double angle =
      2 * std::numbers::pi * static_cast<double>(part) / static_cast<double>(whole);
  double term = sine ? angle : 1, sum = term;
  for (int i = sine ? 2 : 1; i < 20; i += 2) {
    term *= -angle * angle / (i * (i + 1));
    sum += term;
  }
  return negative ? -sum : sum;
}

constexpr double circle_sine(std::size_t n, std::size_t size) {
  // sin x = cos(x - a quarter of a turn)
  return circle_cosine(4 * (n % size) + 3 * size, 4 * size);
}

// What each frequency counts for.
enum class FftWeights {
  kNone,   // from points to frequencies: 1
  kAlone,  // and back: those that are not their own negative count for that too
  kPaired  // and back, of two columns that hold the sums with the negatives; see fft_transform.h
};

// The cosines and sines of a size: of points n and frequencies k up to a half, [n][k].
template <std::size_t kSize, FftWeights kWeights>
struct FftCircle {
  static constexpr std::size_t kHalf = kSize / 2;
  float cosine[kSize][kHalf + 1] = {}, sine[kSize][kHalf + 1] = {};

  constexpr FftCircle() {
    for (std::size_t k = 0; k <= kHalf; ++k) {
      const bool counts_once = kWeights == FftWeights::kPaired || k == 0 || 2 * k == kSize;
      const double weight = kWeights == FftWeights::kNone ? 1.0 : (counts_once ? 1.0 : 2.0) / kSize;
      for (std::size_t n = 0; n < kSize; ++n) {
        cosine[n][k] = static_cast<float>(weight * circle_cosine(n * k, kSize));
        sine[n][k] = static_cast<float>(weight * circle_sine(n * k, kSize));
      }
    }
  }
};

template <std::size_t kSize, FftWeights kWeights>
inline constexpr FftCircle<kSize, kWeights> kFftCircle;

}  // namespace convoy
