#include "engine/conv/spectral_product.h"

#include <algorithm>

#include "engine/base/rounding.h"
#include "engine/conv/range.h"

// Highway compiles this file once for each instruction set and picks one when the program runs.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "engine/conv/spectral_product.cpp"

#include <hwy/foreach_target.h>
// After foreach_target.h, as Highway wants it.
#include <hwy/cache_control.h>
#include <hwy/highway.h>

#include "engine/conv/factor_packing-inl.h"

#ifndef CONVOY_ENGINE_CONV_FFT_PRODUCT_CPP_ONCE
#define CONVOY_ENGINE_CONV_FFT_PRODUCT_CPP_ONCE
namespace convoy {
namespace {

// The sides of the right factor that are packed at once. Rows of the left factor pass by and are
// read once, in order, which is what counts: they come from memory.
constexpr std::size_t kBlock = 512;

}  // namespace
}  // namespace convoy
#endif

HWY_BEFORE_NAMESPACE();
namespace convoy::HWY_NAMESPACE {

template <bool kComplex, class LeftForm, class RightForm>
HWY_INLINE void multiply_blocks(const SpectralProduct& p, float* work) {
  const FactorPacker<LeftForm> left(p.a, p.a.transpose == Transpose::kYes);
  const FactorPacker<RightForm> right(p.b, p.b.transpose == Transpose::kNo);
  const bool stream = p.stream && !p.add && p.inner <= p.run;
  const ProductResult to{p.rows, p.leading, p.first, p.second, p.add, stream, p.run};
  const std::size_t blocks = ceil_div(p.inner, kBlock);
  for (std::size_t column = 0; column < p.columns; column += kBlock)
    for (std::size_t n = 0; n < blocks; ++n) {
      ProductResult sum = to;
      sum.add = p.add || n > 0;
      multiply_block<kComplex>(left, right, sum, {p.inner * n / blocks, p.inner * (n + 1) / blocks},
                               {column, std::min(p.columns, column + kBlock)}, work);
    }
}

void multiply_complex(const SpectralProduct& p, float* work) {
  multiply_blocks<true, LeftSums, RightSums>(p, work);
  if (p.stream) hwy::FlushStream();
}
void multiply_real(const SpectralProduct& p, float* work) {
  multiply_blocks<false, Itself, Itself>(p, work);
  if (p.stream) hwy::FlushStream();
}

}  // namespace convoy::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace convoy {
namespace {

Factor shifted(const Factor& factor, std::size_t offset) {
  Factor part = factor;
  part.first += offset;
  if (part.second) part.second += offset;
  return part;
}

}  // namespace

HWY_EXPORT(multiply_complex);
HWY_EXPORT(multiply_real);

SpectralProduct SpectralProduct::part(std::size_t row, std::size_t row_count, std::size_t column,
                                      std::size_t column_count) const {
  SpectralProduct result = *this;
  result.rows = row_count;
  result.columns = column_count;
  result.a = shifted(a, a.transpose == Transpose::kYes ? row : row * a.leading);
  result.b = shifted(b, b.transpose == Transpose::kYes ? column * b.leading : column);
  result.first += row * leading + column;
  if (result.second) result.second += row * leading + column;
  return result;
}

std::size_t spectral_product_work(std::size_t columns, std::size_t inner) {
  return packed_floats(kGaussPlanes, std::min(columns, kBlock), std::min(inner, kBlock));
}

void multiply_spectra(const SpectralProduct& product, float* work) {
  HWY_DYNAMIC_DISPATCH(multiply_complex)(product, work);
}

void multiply_real_spectra(const SpectralProduct& product, float* work) {
  HWY_DYNAMIC_DISPATCH(multiply_real)(product, work);
}

}  // namespace convoy
#endif
