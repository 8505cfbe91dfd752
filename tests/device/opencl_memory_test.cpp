// A device that runs out of memory. PoCL plays it: it can be told to be small.
#include <QTest>

#include "engine/device/discovery.h"
#include "engine/device/opencl_device.h"
#include "engine/device/opencl_fft_conv.h"
#include "engine/device/opencl_im2col_conv.h"
#include "tests/device/first_opencl_device.h"
#include "tests/device/opencl_conv_case.h"

using namespace convoy;

namespace {

// Plans are made for far more memory than there is, so that the device must refuse.
constexpr std::size_t kTooMuch = std::size_t{1} << 40;

}  // namespace

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
    OpenClIm2colConv conv(context_, wide_layer(), "vector", opencl_limits(kTooMuch, false));
    const OpenClBlocks before = conv.blocks();
    run_out(conv, 0.0);
    QVERIFY2(conv.blocks().positions < before.positions, "the device never ran out of memory");
  }

  void running_out_makes_the_blocks_of_transforms_smaller() {
    // On circles much larger than its images the weights' transform is larger than one buffer.
    ConvProblem p = make_problem(2, 210, 4, 212, 3);
    p.padding = Padding::all(1);
    FftGeometry geometry;
    geometry.vertical = geometry.horizontal = make_fft_axis(kLargestFft, 4, 4, 3, 1).value();
    OpenClFftConv conv(context_, p, geometry, "vector", opencl_limits(kTooMuch, false));
    QCOMPARE(conv.blocks().kernels, p.out_channels);
    run_out(conv, 1e-6);
    QVERIFY2(conv.blocks().kernels < p.out_channels, "the device never ran out of memory");
  }

  void a_layer_that_can_never_fit_is_an_error_with_both_reasons() {
    // One position of one picture already needs more columns than one buffer may hold.
    ConvProblem p;
    p.in_channels = 1200;
    p.in_height = p.in_width = p.kernel_height = p.kernel_width = 240;
    FloatBuffer input(p.input_size()), weight(p.weight_size()), output(p.output_size());
    OpenClIm2colConv conv(context_, p, "tiled", opencl_limits(kTooMuch, false));
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

  template <class Conv>
  static void run_out(Conv& conv, double tolerance) {
    Random random(test::logged_seed(17));
    const Arrays arrays(conv.problem(), random);
    set_operands(conv, arrays);
    ThreadPool pool(available_cores());
    compare_with_reference(conv, arrays, pool, tolerance);
  }

  std::shared_ptr<OpenClContext> context_;
};

QTEST_GUILESS_MAIN(OpenClMemoryTest)
#include "opencl_memory_test.moc"
