// The product of two complex matrices that lie as separate real and imaginary planes, as three real
// products (Gauss).
#pragma once

#include <cstddef>

#include "engine/conv/factor.h"
#include "engine/conv/product_panel.h"

namespace convoy {

struct SpectralProduct {
  std::size_t rows = 0, columns = 0, inner = 0;
  Factor a, b;  // rows x inner and inner x columns after their transpositions
  float* first = nullptr;
  float* second = nullptr;
  std::size_t leading = 0;
  bool add = false;
  // The result is too large to stay in a cache until it is read. Its rows begin on whole lines.
  bool stream = false;
  // Products that are added up in a register before their sum goes to memory, up to kInnerRun.
  std::size_t run = kInnerRun;

  // The part of it that has these rows and columns of the result.
  SpectralProduct part(std::size_t row, std::size_t row_count, std::size_t column,
                       std::size_t column_count) const;
};

// first  = a.first * b.second + a.second * b.first
// second = a.first * b.first - a.second * b.second
// With `first` and `second` as imaginary and real parts that is a * b. With b's parts and the
// result's parts exchanged it is conj(a) * b.
//
// The factors are packed into panels, with the sums that Gauss' form needs, and multiplied tile by
// tile in registers, as Goto and van de Geijn describe (ACM TOMS 34(3), 2008). Sums are short, so
// that less is lost to rounding than in one long sum. `work` has spectral_product_work() floats on
// a 64-byte boundary. Safe to call from several threads with different work and results.
void multiply_spectra(const SpectralProduct& product, float* work);

// first = a.first * b.first, where all is real.
void multiply_real_spectra(const SpectralProduct& product, float* work);

// For products of up to so many columns and so many inner indices.
std::size_t spectral_product_work(std::size_t columns, std::size_t inner);

}  // namespace convoy
