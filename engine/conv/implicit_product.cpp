#include "engine/conv/implicit_product.h"

// Highway compiles this file once for each instruction set and picks one when the program runs.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "engine/conv/implicit_product.cpp"

#include <hwy/foreach_target.h>
// After foreach_target.h, as Highway wants it.
#include <hwy/highway.h>

#include <type_traits>

#include "engine/conv/column_packing-inl.h"
#include "engine/conv/factor_packing-inl.h"
#include "engine/conv/kernel_packing-inl.h"
#include "engine/conv/left_in_place-inl.h"
#include "engine/conv/product_tiles-inl.h"

HWY_BEFORE_NAMESPACE();
namespace convoy::HWY_NAMESPACE {

void multiply(const ConvProblem& p, Pass pass, const ConvOperands& o, const ImplicitBlock& b,
              const ProductSides& sides, float* work) {
  const std::size_t row = b.rows.begin;
  const ProductResult to{b.rows.size(), sides.columns, b.result + row * sides.columns,
                         nullptr,       b.add,         false};
  const auto multiply_with = [&](const auto& left, const auto& right) {
    if constexpr (kIsInPlace<std::remove_cvref_t<decltype(left)>>)
      multiply_block_in_place(left, right, to, b.inner, b.columns, work);
    else
      multiply_block<false>(left, right, to, b.inner, b.columns, work);
  };
  if (pass == Pass::kBackwardData) {
    const ColumnPacker columns(columns_of_grad_output(p, o.grad_output));
    if (b.in_place) {
      const auto taps = static_cast<std::size_t>(p.kernel_height) * p.kernel_width;
      const auto channels = static_cast<std::size_t>(p.in_channels);
      multiply_with(KernelsInPlace{o.weight + row * taps, channels, taps}, columns);
    } else {
      with_kernels(p, o.weight, row, [&](const auto& kernels) { multiply_with(kernels, columns); });
    }
    return;
  }
  const auto multiply_rows = [&](const float* rows, const auto& right) {
    const float* const first = rows + row * sides.inner;
    if (b.in_place)
      multiply_with(RowsInPlace{first, sides.inner}, right);
    else
      multiply_with(FactorPacker<Itself>({first, nullptr, sides.inner, Transpose::kNo}, false),
                    right);
  };
  const ColumnMatrix columns = columns_of_input(p, o.input);
  if (pass == Pass::kForward)
    multiply_rows(o.weight, ColumnPacker(columns));
  else
    multiply_rows(o.grad_output, TransposedColumnPacker(columns));
}

}  // namespace convoy::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace convoy {

HWY_EXPORT(multiply);

ProductSides implicit_product_sides(const ConvProblem& p, Pass pass) {
  const auto kernels = static_cast<std::size_t>(p.out_channels);
  const auto channels = static_cast<std::size_t>(p.in_channels);
  const auto taps = static_cast<std::size_t>(p.kernel_height) * p.kernel_width;
  switch (pass) {
    case Pass::kForward:
      return {kernels, p.output_size() / kernels, channels * taps};
    case Pass::kBackwardData:
      return {channels, p.input_size() / channels, kernels * taps};
    case Pass::kBackwardWeights:
      break;
  }
  return {kernels, channels * taps, p.output_size() / kernels};
}

void multiply_implicit(const ConvProblem& problem, Pass pass, const ConvOperands& operands,
                       const ImplicitBlock& block, float* work) {
  HWY_DYNAMIC_DISPATCH(multiply)
  (problem, pass, operands, block, implicit_product_sides(problem, pass), work);
}

std::size_t implicit_product_work(std::size_t columns, std::size_t inner) {
  return packed_floats(1, columns, inner);
}

}  // namespace convoy
#endif
