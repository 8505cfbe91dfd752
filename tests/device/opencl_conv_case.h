// What the tests of convolutions on OpenCL devices share.
#pragma once

#include <QTest>
#include <cmath>
#include <cstring>
#include <memory>
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

// As random_problem(), with what the transforms do: stride 1; and with batches to 70.
inline ConvProblem random_transformable(Random& random) {
  ConvProblem p = random_problem(random);
  p.stride_height = p.stride_width = 1;
  if (random.below(3) == 0) p.batch = 1 + static_cast<int>(random.below(70));
  return p;
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

// A pass in parts gives the bits of the whole, reads only what has arrived and writes only its own.
// `conv` must have been made to work in parts.
inline void compare_parts_with_whole(DeviceConv& conv, const Arrays& arrays, Random& random) {
  const ConvProblem& p = conv.problem();
  QVERIFY(conv.works_in_parts());
  const std::size_t batch = static_cast<std::size_t>(p.batch);
  std::vector<std::vector<float>> whole;
  set_operands(conv, arrays);
  for (const Pass pass : kAllPasses) {
    whole.emplace_back(result_size(p, pass));
    conv.run(pass, whole.back().data(), nullptr);
  }
  FloatBuffer input(arrays.input.size()), grad_output(arrays.grad_output.size());
  for (FloatBuffer* none : {&input, &grad_output})
    for (float& value : none->span()) value = std::nanf("");
  conv.set_operand(Operand::kInput, input.data());
  conv.set_operand(Operand::kGradOutput, grad_output.data());
  for (const Pass pass : {Pass::kForward, Pass::kBackwardData}) {
    const FloatBuffer& from = pass == Pass::kForward ? arrays.input : arrays.grad_output;
    FloatBuffer& to = pass == Pass::kForward ? input : grad_output;
    const auto& expected = whole[static_cast<std::size_t>(pass)];
    GuardedBuffer result(expected.size());
    constexpr float kUntouched = -12345.0f;
    for (float& value : result.span()) value = kUntouched;
    for (std::size_t begin = 0, end = 0; begin < batch; begin = end) {
      end = std::min(batch, begin + 16 * (1 + random.below(3)));
      for (std::size_t row = 0; row < from.size(); row += batch)
        std::copy(from.data() + row + begin, from.data() + row + end, to.data() + row + begin);
      conv.run_part(pass, {begin, end}, result.data(), nullptr);
      for (std::size_t i = 0; i < expected.size(); ++i)
        QVERIFY(i % batch < end || result.data()[i] == kUntouched);
    }
    QVERIFY2(std::memcmp(result.data(), expected.data(), result.span().size_bytes()) == 0,
             qPrintable(QString("%1 of %2").arg(pass_name(pass), problem_text(p))));
    QVERIFY(result.guards_are_whole());
  }
  GuardedBuffer grad_weight(whole.back().size());
  conv.run(Pass::kBackwardWeights, grad_weight.data(), nullptr);
  QVERIFY2(
      std::memcmp(grad_weight.data(), whole.back().data(), grad_weight.span().size_bytes()) == 0,
      qPrintable(problem_text(p)));
}

// For tests of parts: products, and the ways in which operands get to the device.
inline void add_kinds_of_parts() {
  QTest::addColumn<QString>("product");
  QTest::addColumn<bool>("in_place");
  QTest::addColumn<int>("staging");
  QTest::newRow("vector in place") << "vector" << true << 0;
  QTest::newRow("vector copied") << "vector" << false << 0;
  QTest::newRow("vector staged") << "vector" << false << 700;
  QTest::newRow("tiled") << "tiled" << true << 0;
}

// Of random layers, whole and in blocks of pictures or kernels.
template <class Conv, class MakeProblem>
void compare_parts(const std::shared_ptr<OpenClContext>& context, Random& random,
                   const MakeProblem& make_some) {
  QFETCH(QString, product);
  QFETCH(bool, in_place);
  QFETCH(int, staging);
  for (int round = 0; round < 4; ++round) {
    ConvProblem p = make_some(random);
    p.batch = 20 + static_cast<int>(random.below(80));
    const Arrays arrays = normal_arrays(p, random);
    OpenClLimits limits = opencl_limits(kPlenty, in_place, static_cast<std::size_t>(staging));
    limits.in_parts = true;
    std::size_t bytes = 0;
    for (const bool cut : {false, true}) {
      if (cut) limits.total = bytes / 2;
      limits.piece_columns = cut ? 100 : 1 << 30;
      Conv conv(context, p, product.toStdString(), limits);
      bytes = conv.device_bytes();
      compare_parts_with_whole(conv, arrays, random);
    }
  }
}

template <class Conv>
void refuse_parts_of_clblast(const std::shared_ptr<OpenClContext>& context) {
  OpenClLimits limits = opencl_limits(kPlenty, true);
  const ConvProblem p = make_problem(32, 3, 8, 4, 3);
  Conv unasked(context, p, "vector", limits);
  QVERIFY(!unasked.works_in_parts());
  limits.in_parts = true;
  Conv conv(context, p, "clblast", limits);
  QVERIFY(!conv.works_in_parts());
  const Arrays arrays(p);
  set_operands(conv, arrays);
  FloatBuffer output(p.output_size());
  QVERIFY_THROWS_EXCEPTION(Error, conv.run_part(Pass::kForward, {0, 16}, output.data(), nullptr));
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
