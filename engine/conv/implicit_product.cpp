#include "engine/conv/implicit_product.h"

// Highway compiles this file once for each instruction set and picks one when the program runs.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "engine/conv/implicit_product.cpp"

#include <hwy/foreach_target.h>
// After foreach_target.h, as Highway wants it.
#include <hwy/highway.h>

#include "engine/conv/column_packing-inl.h"
#include "engine/conv/factor_packing-inl.h"
#include "engine/conv/product_tiles-inl.h"
#include "engine/conv/weight_packing-inl.h"
#include "engine/conv/weights_in_place-inl.h"

HWY_BEFORE_NAMESPACE();
namespace convoy::HWY_NAMESPACE {

void multiply(const ConvProblem& p, Pass pass, const ConvOperands& o, const ImplicitBlock& b,
              const ProductSides& sides, float* work) {
  const std::size_t row = b.rows.begin;
  const ProductResult to{b.rows.size(), sides.columns, b.result + row * sides.columns,
                         nullptr,       b.add,         false};
  if (pass == Pass::kBackwardWeights) {
    const FactorPacker<Itself> gradients(
        {o.grad_output + row * sides.inner, nullptr, sides.inner, Transpose::kNo}, false);
    multiply_block<false>(gradients, TransposedColumnPacker(columns_of_input(p, o.input)), to,
                          b.inner, b.columns, work);
    return;
  }
  const ColumnPacker columns(pass == Pass::kForward ? columns_of_input(p, o.input)
                                                    : columns_of_grad_output(p, o.grad_output));
  if (b.in_place) {
    with_weights_in_place(p, pass, o.weight, row, [&](const auto& weights) {
      multiply_block_in_place(weights, columns, to, b.inner, b.columns, work);
    });
    return;
  }
  const auto multiply_packed = [&](const auto& weights) {
    multiply_block<false>(weights, columns, to, b.inner, b.columns, work);
  };
  if (pass == Pass::kForward)
    multiply_packed(FactorPacker<Itself>(
        {o.weight + row * sides.inner, nullptr, sides.inner, Transpose::kNo}, false));
  else
    with_kernels(p, o.weight, row, multiply_packed);
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
