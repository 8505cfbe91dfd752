// Every pass of a layer in the frequency domain on an OpenCL device against the reference, whole
// and in blocks.
#include "engine/device/opencl_fft_conv.h"

#include <QTest>
#include <cmath>
#include <thread>

#include "engine/device/discovery.h"
#include "tests/conv/random_convolution.h"
#include "tests/device/first_opencl_device.h"

using namespace convoy;

namespace {

constexpr std::size_t kPlenty = std::size_t{1} << 30;

OpenClLimits limits(std::size_t total, bool in_place) {
  return {total, total, 1e15, 1 << 30, in_place};
}

void set_operands(DeviceConv& conv, const Arrays& arrays) {
  conv.set_operand(Operand::kInput, arrays.input.data());
  conv.set_operand(Operand::kWeight, arrays.weight.data());
  conv.set_operand(Operand::kGradOutput, arrays.grad_output.data());
}

// As random_problem(), with what the transforms do: stride 1; and with batches to 70.
ConvProblem random_transformable(Random& random) {
  ConvProblem p = random_problem(random);
  p.stride_height = p.stride_width = 1;
  if (random.below(3) == 0) p.batch = 1 + static_cast<int>(random.below(70));
  return p;
}

// Whole numbers whose sums need not be exact here, for the transforms round: rms, relative.
double relative_error(std::span<const float> result, const std::vector<float>& expected) {
  double error = 0.0, norm = 0.0;
  for (std::size_t i = 0; i < expected.size(); ++i) {
    error += std::pow(static_cast<double>(result[i]) - static_cast<double>(expected[i]), 2);
    norm += std::pow(static_cast<double>(expected[i]), 2);
  }
  // Results that are all zero, of a convolution that sees nothing but padding.
  return norm > 0.0 ? std::sqrt(error / norm) : std::sqrt(error);
}

}  // namespace

class OpenClFftConvTest : public QObject {
  Q_OBJECT

 private slots:
  void initTestCase() {
    context_ = shared_opencl_context(first_opencl_device());
    // The same device taken for a GPU: work-groups of many items, which share local memory.
    OpenClDeviceEntry gpu = context_->entry();
    gpu.info.kind = DeviceKind::kGpu;
    as_gpu_ = std::make_shared<OpenClContext>(gpu);
    pool_ = std::make_unique<ThreadPool>(available_cores());
  }
  void cleanupTestCase() { pool_.reset(); }

  void random_layers_data() {
    QTest::addColumn<QString>("product");
    QTest::addColumn<bool>("in_place");
    QTest::addColumn<bool>("as_gpu");
    QTest::newRow("vector in place") << "vector" << true << false;
    QTest::newRow("vector copied") << "vector" << false << false;
    QTest::newRow("tiled copied") << "tiled" << false << false;
    QTest::newRow("clblast copied") << "clblast" << false << false;
    QTest::newRow("tiled as on a GPU") << "tiled" << false << true;
  }
  void random_layers() {
    QFETCH(QString, product);
    QFETCH(bool, in_place);
    QFETCH(bool, as_gpu);
    Random random(seed(31));
    for (int round = 0; round < 8; ++round) {
      const ConvProblem p = random_transformable(random);
      const Arrays arrays(p, random);
      OpenClFftConv conv(as_gpu ? as_gpu_ : context_, p, product.toStdString(),
                         limits(kPlenty, in_place));
      set_operands(conv, arrays);
      compare(conv, arrays, p);
    }
  }

  // Images that are cut into tiles, which overlap.
  void tiles_data() {
    QTest::addColumn<int>("height");
    QTest::addColumn<int>("width");
    QTest::addColumn<int>("kernel");
    QTest::addColumn<int>("padding");
    QTest::newRow("one dimension") << 9 << 67 << 5 << 2;
    QTest::newRow("two dimensions") << 41 << 53 << 3 << 1;
    QTest::newRow("overlaps of three and more") << 45 << 12 << 11 << 0;
    QTest::newRow("tiles of nothing but padding") << 40 << 3 << 3 << 40;
    QTest::newRow("no overlap") << 70 << 40 << 1 << 0;
  }
  void tiles() {
    QFETCH(int, height);
    QFETCH(int, width);
    QFETCH(int, kernel);
    QFETCH(int, padding);
    ConvProblem p = make_problem(5, 3, height, 4, kernel);
    p.in_width = width;
    p.padding = Padding::all(padding);
    Random random(seed(32));
    const Arrays arrays(p, random);
    for (const auto& context : {context_, as_gpu_}) {
      OpenClFftConv conv(context, p, "vector", limits(kPlenty, context == context_));
      set_operands(conv, arrays);
      compare(conv, arrays, p);
    }
  }

  void blocks_of_any_size() {
    Random random(seed(33));
    int cut_pictures = 0, cut_kernels = 0;
    for (int round = 0; round < 5; ++round) {
      const ConvProblem p = random_transformable(random);
      const Arrays arrays(p, random);
      std::size_t total =
          OpenClFftConv(context_, p, "vector", limits(kPlenty, false)).scratch_bytes();
      for (int step = 0; step < 6; ++step, total -= total / 3) {
        try {
          OpenClFftConv conv(context_, p, "vector", limits(total, step % 2));
          QVERIFY(conv.scratch_bytes() <= total);
          const OpenClFftBlocks blocks = conv.blocks();
          cut_pictures += blocks.batch < p.batch;
          cut_kernels += blocks.kernels < p.out_channels;
          set_operands(conv, arrays);
          compare(conv, arrays, p);
        } catch (const Error& error) {
          QVERIFY2(QString(error.what()).contains("may be used"), error.what());
          break;
        }
      }
    }
    QVERIFY(cut_pictures > 0);
    QVERIFY(cut_kernels > 0);
  }

  // One row of one plane at a time.
  void pieces_of_the_least_work() {
    Random random(seed(34));
    const ConvProblem p = make_problem(20, 6, 9, 7, 3);
    const Arrays arrays(p, random);
    OpenClLimits little = limits(kPlenty, false);
    little.piece_flops = 1.0;
    OpenClFftConv conv(context_, p, "vector", little);
    set_operands(conv, arrays);
    compare(conv, arrays, p);
  }

  void operands_that_are_set_again_are_transformed_again() {
    Random random(seed(35));
    const ConvProblem p = random_transformable(random);
    Arrays arrays(p, random);
    OpenClFftConv conv(context_, p, "vector", limits(kPlenty, true));
    set_operands(conv, arrays);
    compare(conv, arrays, p);
    for (int round = 0; round < 3; ++round) {
      // The same memory with other contents, as a training loop does it.
      fill_integers(arrays.weight, random);
      conv.set_operand(Operand::kWeight, arrays.weight.data());
      compare(conv, arrays, p);
      fill_integers(arrays.input, random);
      fill_integers(arrays.grad_output, random);
      conv.set_operand(Operand::kInput, arrays.input.data());
      conv.set_operand(Operand::kGradOutput, arrays.grad_output.data());
      compare(conv, arrays, p);
    }
  }

  // Else the passes of a step would transform twice what they share.
  void an_operand_is_transformed_once_for_all_passes() {
    Random random(seed(36));
    const ConvProblem p = make_problem(18, 5, 10, 6, 3);
    Arrays arrays(p, random);
    OpenClFftConv conv(context_, p, "vector", limits(kPlenty, true));
    set_operands(conv, arrays);
    compare(conv, arrays, p);
    const Arrays before = [&] {
      Arrays copy(p);
      std::ranges::copy(arrays.input.span(), copy.input.data());
      std::ranges::copy(arrays.weight.span(), copy.weight.data());
      std::ranges::copy(arrays.grad_output.span(), copy.grad_output.data());
      return copy;
    }();
    // Nobody tells the device; it must not look.
    fill_integers(arrays.input, random);
    fill_integers(arrays.weight, random);
    fill_integers(arrays.grad_output, random);
    compare(conv, before, p);
  }

  void rounding_is_the_same_every_time() {
    Random random(seed(37));
    const ConvProblem p = make_problem(19, 30, 12, 45, 5);
    Arrays arrays(p);
    fill_normal(arrays.input, random);
    fill_normal(arrays.weight, random);
    fill_normal(arrays.grad_output, random);
    OpenClFftConv conv(context_, p, "vector", limits(kPlenty, true));
    OpenClFftConv again(context_, p, "vector", limits(kPlenty, true));
    set_operands(conv, arrays);
    set_operands(again, arrays);
    for (const Pass pass : kAllPasses) {
      GuardedBuffer result(result_size(p, pass)), second(result_size(p, pass));
      conv.run(pass, result.data(), nullptr);
      again.run(pass, second.data(), nullptr);
      QVERIFY(std::memcmp(result.data(), second.data(), result.span().size_bytes()) == 0);
    }
  }

  // Stopped between its pieces, at any of them, a pass leaves nothing half made behind.
  void a_stopped_pass_can_be_run_again() {
    Random random(seed(38));
    const ConvProblem p = make_problem(40, 30, 14, 30, 5);
    Arrays arrays(p, random);
    OpenClLimits little = limits(kPlenty, false);
    little.piece_flops = 1.0;
    OpenClFftConv conv(context_, p, "vector", little);
    for (const Pass pass : kAllPasses) {
      set_operands(conv, arrays);
      GuardedBuffer result(result_size(p, pass));
      StopToken stop;
      std::thread stopper([&] { stop.request_stop(); });
      bool interrupted = false;
      try {
        conv.run(pass, result.data(), &stop);
      } catch (const Interrupted&) {
        interrupted = true;
      }
      stopper.join();
      QVERIFY(interrupted);
      compare(conv, arrays, p);
    }
  }

  void what_the_transforms_cannot_do_is_refused() {
    ConvProblem strided = make_problem(2, 2, 20, 2, 3);
    strided.stride_width = 2;
    for (const ConvProblem& p : {strided, make_problem(2, 2, 20, 2, 12)}) {
      try {
        OpenClFftConv conv(context_, p, "vector", limits(kPlenty, true));
        QFAIL("no error");
      } catch (const Error& error) {
        QCOMPARE(error.kind(), ErrorKind::kDevice);
        QVERIFY2(QString(error.what()).contains("stride 1 and kernels of at most 11x11"),
                 error.what());
      }
    }
  }

 private:
  static std::uint64_t seed(std::uint64_t value) {
    qInfo("seed %llu", static_cast<unsigned long long>(value));
    return value;
  }

  // All passes, each twice: the first transforms its operands, the second finds them there.
  void compare(OpenClFftConv& conv, const Arrays& arrays, const ConvProblem& p) {
    for (const Pass pass : kAllPasses) {
      const auto expected = run_reference(p, pass, arrays, *pool_);
      for (int turn = 0; turn < 2; ++turn) {
        GuardedBuffer result(expected.size());
        conv.run(pass, result.data(), nullptr);
        const double error = relative_error(result.span(), expected);
        QVERIFY2(error < 1e-6, qPrintable(QString("%1 of %2 in blocks of %3 pictures, %4 kernels: "
                                                  "error %5")
                                              .arg(pass_name(pass), problem_text(p))
                                              .arg(conv.blocks().batch)
                                              .arg(conv.blocks().kernels)
                                              .arg(error)));
        QVERIFY(result.guards_are_whole());
      }
    }
  }

  std::shared_ptr<OpenClContext> context_, as_gpu_;
  std::unique_ptr<ThreadPool> pool_;
};

QTEST_GUILESS_MAIN(OpenClFftConvTest)
#include "opencl_fft_conv_test.moc"
