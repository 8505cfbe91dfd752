// What the tests of convolutions on OpenCL devices share.
#pragma once

#include <QTest>
#include <utility>

#include "engine/device/device.h"
#include "engine/device/opencl_fft_plan.h"
#include "engine/device/opencl_plan.h"
#include "tests/base/logged_seed.h"
#include "tests/conv/direct_sums.h"

namespace convoy {

// Enough for every layer of the tests.
inline constexpr std::size_t kPlenty = std::size_t{1} << 30;

// Nothing but the memory cuts the layer. `staging` is best a size that cuts rows and matrices
// anywhere.
inline OpenClLimits opencl_limits(std::size_t bytes, bool in_place, std::size_t staging = 0) {
  return {bytes, bytes, 1e15, 1 << 30, in_place, staging};
}

// What a product needs besides: nothing, or both its operands once more.
inline std::vector<std::size_t> no_scratch(const ProductSize&) {
  return {};
}
inline std::vector<std::size_t> two_panels(const ProductSize& size) {
  const std::size_t bytes = sizeof(float) * size.count * size.depth;
  return {bytes * size.rows, bytes * size.columns};
}

inline void set_operands(DeviceConv& conv, const Arrays& arrays) {
  conv.set_operand(Operand::kInput, arrays.input.data());
  conv.set_operand(Operand::kWeight, arrays.weight.data());
  conv.set_operand(Operand::kGradOutput, arrays.grad_output.data());
}

inline QString blocks_text(const OpenClBlocks& blocks) {
  return QString("%1 pictures, %2 kernels, %3 positions")
      .arg(blocks.batch)
      .arg(blocks.kernels)
      .arg(blocks.positions);
}
inline QString blocks_text(const OpenClFftBlocks& blocks) {
  return QString("%1 pictures, %2 kernels").arg(blocks.batch).arg(blocks.kernels);
}

// All passes against the reference, each twice: the first travels with the operands, the second
// finds them there. `tolerance` is of rms_error(); 0: exact.
template <class Conv>
void compare_with_reference(Conv& conv, const Arrays& arrays, ThreadPool& pool, double tolerance) {
  for (const Pass pass : kAllPasses) {
    const auto expected = run_reference(conv.problem(), pass, arrays, pool);
    for (int turn = 0; turn < 2; ++turn) {
      GuardedBuffer result(expected.size());
      conv.run(pass, result.data(), nullptr);
      const double error = rms_error(result.span(), expected);
      QVERIFY2(error <= tolerance,
               qPrintable(QString("%1, %2 of %3 in blocks of %4: error %5")
                              .arg(QString::fromStdString(conv.algorithm(pass)), pass_name(pass),
                                   problem_text(conv.problem()), blocks_text(conv.blocks()))
                              .arg(error)));
      QVERIFY(result.guards_are_whole());
    }
  }
}

// The same memory with other contents, as a training loop sets it; compare() after each.
template <class Compare>
void compare_with_operands_set_again(DeviceConv& conv, Arrays& arrays, Random& random,
                                     const Compare& compare) {
  set_operands(conv, arrays);
  compare();
  for (int round = 0; round < 3; ++round) {
    fill_integers(arrays.weight, random);
    conv.set_operand(Operand::kWeight, arrays.weight.data());
    compare();
    fill_integers(arrays.input, random);
    fill_integers(arrays.grad_output, random);
    conv.set_operand(Operand::kInput, arrays.input.data());
    conv.set_operand(Operand::kGradOutput, arrays.grad_output.data());
    compare();
  }
}

// Of two plans for the same, every pass gives the same bits.
inline void compare_bits(DeviceConv& one, DeviceConv& other) {
  for (const Pass pass : kAllPasses) {
    GuardedBuffer first(result_size(one.problem(), pass)), second(first.span().size());
    one.run(pass, first.data(), nullptr);
    other.run(pass, second.data(), nullptr);
    QVERIFY2(std::memcmp(first.data(), second.data(), first.span().size_bytes()) == 0,
             pass_name(pass));
  }
}

}  // namespace convoy
