// A device that runs out of memory. PoCL plays it: it can be told to be small.
#include <QTest>

#include "engine/device/discovery.h"
#include "engine/device/opencl_device.h"
#include "engine/device/opencl_fft_conv.h"
#include "engine/device/opencl_im2col_conv.h"
#include "tests/conv/direct_sums.h"
#include "tests/device/first_opencl_device.h"

using namespace convoy;

class OpenClMemoryTest : public QObject {
  Q_OBJECT

 private slots:
  void initTestCase() {
    qputenv("POCL_MEMORY_LIMIT", "1");  // in GiB; before anything else speaks to PoCL
    context_ = shared_opencl_context(first_opencl_device());
    QVERIFY2(context_->entry().info.memory_bytes <= std::size_t{1} << 30,
             "this test needs PoCL to be the first OpenCL device");
  }

  void the_default_limit_is_a_quarter_of_the_memory() {
    const ConvProblem p = wide_layer();
    const auto conv = open_opencl_device(context_->id())->make_conv(p);
    QVERIFY(conv->scratch_bytes() <= context_->entry().info.memory_bytes / 4);
  }

  void running_out_makes_the_pieces_smaller() {
    const ConvProblem p = wide_layer();
    Random random(17);
    const Arrays arrays(p, random);
    // A plan for far more memory than there is, so that the device must refuse.
    const std::size_t much = std::size_t{1} << 40;
    OpenClIm2colConv conv(context_, p, "vector", {much, much, 1e15, 1 << 30, false});
    const OpenClBlocks before = conv.blocks();
    conv.set_operand(Operand::kInput, arrays.input.data());
    conv.set_operand(Operand::kWeight, arrays.weight.data());
    conv.set_operand(Operand::kGradOutput, arrays.grad_output.data());
    ThreadPool pool(available_cores());
    for (const Pass pass : kAllPasses) {
      const auto expected = run_reference(p, pass, arrays, pool);
      GuardedBuffer result(expected.size());
      conv.run(pass, result.data(), nullptr);
      QVERIFY2(std::equal(expected.begin(), expected.end(), result.data()), pass_name(pass));
    }
    QVERIFY2(conv.blocks().positions < before.positions, "the device never ran out of memory");
  }

  void running_out_makes_the_blocks_of_transforms_smaller() {
    // On circles much larger than its images the weights' transform is larger than one buffer.
    ConvProblem p = make_problem(2, 210, 4, 212, 3);
    p.padding = Padding::all(1);
    FftGeometry geometry;
    geometry.vertical = geometry.horizontal = make_fft_axis(kLargestFft, 4, 4, 3, 1).value();
    Random random(18);
    const Arrays arrays(p, random);
    const std::size_t much = std::size_t{1} << 40;
    OpenClFftConv conv(context_, p, geometry, "vector", {much, much, 1e15, 1 << 30, false});
    const OpenClFftBlocks before = conv.blocks();
    QCOMPARE(before.kernels, p.out_channels);
    conv.set_operand(Operand::kInput, arrays.input.data());
    conv.set_operand(Operand::kWeight, arrays.weight.data());
    conv.set_operand(Operand::kGradOutput, arrays.grad_output.data());
    ThreadPool pool(available_cores());
    for (const Pass pass : kAllPasses) {
      const auto expected = run_reference(p, pass, arrays, pool);
      GuardedBuffer result(expected.size());
      conv.run(pass, result.data(), nullptr);
      QVERIFY2(rms_error(result.span(), expected) < 1e-6, pass_name(pass));
    }
    QVERIFY2(conv.blocks().kernels < before.kernels, "the device never ran out of memory");
  }

  void a_layer_that_can_never_fit_is_an_error_with_both_reasons() {
    // One position of one picture already needs more columns than one buffer may hold.
    ConvProblem p;
    p.in_channels = 1200;
    p.in_height = p.in_width = p.kernel_height = p.kernel_width = 240;
    FloatBuffer input(p.input_size()), weight(p.weight_size()), output(p.output_size());
    const std::size_t much = std::size_t{1} << 40;
    OpenClIm2colConv conv(context_, p, "tiled", {much, much, 1e15, 1 << 30, false});
    conv.set_operand(Operand::kInput, input.data());
    conv.set_operand(Operand::kWeight, weight.data());
    try {
      conv.run(Pass::kForward, output.data(), nullptr);
      QFAIL("no error");
    } catch (const Error& error) {
      QCOMPARE(error.kind(), ErrorKind::kDevice);
      const QString what = error.what();
      QVERIFY2(what.startsWith(QString::fromStdString(context_->id())), error.what());
      QVERIFY2(what.contains("clCreateBuffer failed with CL_INVALID_BUFFER_SIZE"), error.what());
      QVERIFY2(what.contains("smaller pieces do not help"), error.what());
    }
  }

 private:
  // Its columns alone are larger than the 256 MiB that one buffer may then have.
  static ConvProblem wide_layer() {
    ConvProblem p;
    p.batch = 200;
    p.in_channels = 16;
    p.in_height = p.in_width = 32;
    p.kernel_height = p.kernel_width = 5;
    p.padding = Padding::same(5, 5);
    return p;
  }

  std::shared_ptr<OpenClContext> context_;
};

QTEST_GUILESS_MAIN(OpenClMemoryTest)
#include "opencl_memory_test.moc"
