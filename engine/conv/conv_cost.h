// What the algorithms' estimates of their own time are made of, for one thread. Measured on AVX-512
// cores with both busy; only the ratios matter.
#pragma once

namespace convoy {

inline constexpr double kFlopsPerSecond = 95e9;     // a large matrix product
inline constexpr double kCopyBytesPerSecond = 6e9;  // what a task writes and reads again

// A matrix product; short sides leave vectors and packed panels half used.
inline double sgemm_seconds(double rows, double columns, double inner) {
  const auto use = [](double side, double half_used) { return side / (side + half_used); };
  return 2 * rows * columns * inner /
         (kFlopsPerSecond * use(rows, 16) * use(columns, 16) * use(inner, 16));
}

}  // namespace convoy
