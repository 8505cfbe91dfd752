#include "engine/conv/fft_product.h"

#include <cstring>
#include <utility>

namespace convoy {
namespace {

FftFactor shifted(const FftFactor& factor, std::size_t offset) {
  FftFactor part = factor;
  part.first += offset;
  if (part.second) part.second += offset;
  return part;
}

// Calls line(n) for all elements, row by row; `source` strided, `target` dense.
template <class Combine>
void combine(const FftFactor& f, std::size_t rows, std::size_t columns, float* target,
             const Combine& combined) {
  if (f.transpose == Transpose::kYes) std::swap(rows, columns);
  for (std::size_t row = 0; row < rows; ++row) {
    const float* __restrict first = f.first + row * f.leading;
    const float* __restrict second = f.second + row * f.leading;
    float* __restrict to = target + row * columns;
    for (std::size_t n = 0; n < columns; ++n) to[n] = combined(first[n], second[n]);
  }
}

}  // namespace

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

std::size_t fft_product_work(std::size_t rows, std::size_t columns, std::size_t inner, bool add) {
  return rows * inner + columns * inner + (add ? rows * columns : 0);
}

void fft_multiply(const FftProduct& p, float* work) {
  float* const a_sum = work;
  float* const b_mix = a_sum + p.rows * p.inner;
  float* const common = b_mix + p.inner * p.columns;
  const std::size_t a_leading = p.a.transpose == Transpose::kYes ? p.rows : p.inner;
  const std::size_t b_leading = p.b.transpose == Transpose::kYes ? p.inner : p.columns;
  const auto product = [&](const float* a, std::size_t lda, const float* b, std::size_t ldb,
                           float beta, float* c, std::size_t ldc) {
    sgemm(p.a.transpose, p.b.transpose, p.rows, p.columns, p.inner, a, lda, b, ldb, beta, c, ldc);
  };

  // What both results have in common: (a1 + a2) b1.
  combine(p.a, p.rows, p.inner, a_sum, [](float x, float y) { return x + y; });
  if (p.add) {
    product(a_sum, a_leading, p.b.first, p.b.leading, 0.0f, common, p.columns);
    for (std::size_t row = 0; row < p.rows; ++row) {
      const float* __restrict from = common + row * p.columns;
      float* __restrict first = p.first + row * p.leading;
      float* __restrict second = p.second + row * p.leading;
      for (std::size_t n = 0; n < p.columns; ++n) {
        first[n] += from[n];
        second[n] += from[n];
      }
    }
  } else {
    product(a_sum, a_leading, p.b.first, p.b.leading, 0.0f, p.first, p.leading);
    for (std::size_t row = 0; row < p.rows; ++row)
      std::memcpy(p.second + row * p.leading, p.first + row * p.leading, p.columns * sizeof(float));
  }
  combine(p.b, p.inner, p.columns, b_mix, [](float x, float y) { return y - x; });
  product(p.a.first, p.a.leading, b_mix, b_leading, 1.0f, p.first, p.leading);
  combine(p.b, p.inner, p.columns, b_mix, [](float x, float y) { return -x - y; });
  product(p.a.second, p.a.leading, b_mix, b_leading, 1.0f, p.second, p.leading);
}

void fft_multiply_real(const FftProduct& p) {
  sgemm(p.a.transpose, p.b.transpose, p.rows, p.columns, p.inner, p.a.first, p.a.leading, p.b.first,
        p.b.leading, p.add ? 1.0f : 0.0f, p.first, p.leading);
}

}  // namespace convoy
