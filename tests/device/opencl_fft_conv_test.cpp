// Every pass of a layer in the frequency domain on an OpenCL device against the reference, whole
// and in blocks.
#include "engine/device/opencl_fft_conv.h"

#include <QTest>

#include "engine/device/discovery.h"
#include "tests/device/first_opencl_device.h"
#include "tests/device/opencl_conv_case.h"
#include "tests/device/opencl_layer.h"

using namespace convoy;
using convoy::test::logged_seed;

class OpenClFftConvTest : public QObject {
  Q_OBJECT

 private slots:
  void initTestCase() {
    context_ = shared_opencl_context(first_opencl_device());
    // The same device taken for a GPU: work-groups of many items, which share local memory.
    as_gpu_ = first_opencl_device_as_gpu();
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
    Random random(logged_seed(31));
    for (int round = 0; round < 8; ++round) {
      const ConvProblem p = random_transformable(random);
      const Arrays arrays(p, random);
      OpenClFftConv conv(as_gpu ? as_gpu_ : context_, p, product.toStdString(),
                         opencl_limits(kPlenty, in_place));
      set_operands(conv, arrays);
      compare(conv, arrays);
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
    Random random(logged_seed(32));
    const Arrays arrays(p, random);
    for (const auto& context : {context_, as_gpu_}) {
      OpenClFftConv conv(context, p, "vector", opencl_limits(kPlenty, context == context_));
      set_operands(conv, arrays);
      compare(conv, arrays);
    }
  }

  void blocks_of_any_size_data() {
    QTest::addColumn<bool>("staged");
    QTest::newRow("by the driver") << false;
    QTest::newRow("staged") << true;
  }
  void blocks_of_any_size() {
    QFETCH(bool, staged);
    Random random(logged_seed(33));
    int cut_pictures = 0, cut_kernels = 0;
    for (int round = 0; round < 5; ++round) {
      const ConvProblem p = random_transformable(random);
      const Arrays arrays(p, random);
      std::size_t total =
          OpenClFftConv(context_, p, "vector", opencl_limits(kPlenty, false)).scratch_bytes();
      for (int step = 0; step < 6; ++step, total -= total / 3) {
        try {
          OpenClFftConv conv(
              context_, p, "vector",
              staged ? opencl_limits(total, false, 1000) : opencl_limits(total, step % 2));
          QVERIFY(conv.scratch_bytes() <= total);
          const OpenClFftBlocks blocks = conv.blocks();
          cut_pictures += blocks.batch < p.batch;
          cut_kernels += blocks.kernels < p.out_channels;
          set_operands(conv, arrays);
          compare(conv, arrays);
        } catch (const Error& error) {
          QVERIFY2(QString(error.what()).contains("may be used"), error.what());
          break;
        }
      }
    }
    QVERIFY(cut_pictures > 0);
    QVERIFY(cut_kernels > 0);
  }

  // Not by a bit: how operands travel is nothing to the sums. As on a GPU, and in blocks too.
  void staged_transfers_change_nothing() {
    Random random(logged_seed(39));
    int cut = 0;
    for (int round = 0; round < 12; ++round) {
      const ConvProblem p = random_transformable(random);
      const Arrays arrays = normal_arrays(p, random);
      OpenClLimits how = opencl_limits(kPlenty, false, 4 + random.below(round % 2 ? 300 : 100000));
      const auto make = [&](const OpenClLimits& limits) {
        return OpenClFftConv(as_gpu_, p, "tiled", limits);
      };
      if (round % 3 == 2) how.total = make(how).scratch_bytes() * 2 / 3;
      OpenClFftConv staged = make(how);
      // The blocks, which the sums do depend on, are to be the same.
      OpenClLimits other = opencl_limits(how.total, false);
      while (make(other).blocks() != staged.blocks()) other.total -= other.total / 50;
      if (staged.blocks() != OpenClFftBlocks{p.batch, p.out_channels})
        ++cut;
      else
        other.in_place = true;
      OpenClFftConv unified = make(other);
      set_operands(unified, arrays);
      set_operands(staged, arrays);
      compare_bits(unified, staged);
    }
    QVERIFY(cut > 0);
  }

  // One row of one plane at a time.
  void pieces_of_the_least_work() {
    Random random(logged_seed(34));
    const ConvProblem p = make_problem(20, 6, 9, 7, 3);
    const Arrays arrays(p, random);
    OpenClLimits little = opencl_limits(kPlenty, false);
    little.piece_flops = 1.0;
    OpenClFftConv conv(context_, p, "vector", little);
    set_operands(conv, arrays);
    compare(conv, arrays);
  }

  void operands_that_are_set_again_are_transformed_again() {
    Random random(logged_seed(35));
    const ConvProblem p = random_transformable(random);
    Arrays arrays(p, random);
    OpenClFftConv conv(context_, p, "vector", opencl_limits(kPlenty, true));
    compare_with_operands_set_again(conv, arrays, random, [&] { compare(conv, arrays); });
  }

  // Else the passes of a step would transform twice what they share.
  void an_operand_is_transformed_once_for_all_passes() {
    Random random(logged_seed(36));
    const ConvProblem p = make_problem(18, 5, 10, 6, 3);
    Arrays arrays(p, random);
    OpenClFftConv conv(context_, p, "vector", opencl_limits(kPlenty, true));
    set_operands(conv, arrays);
    compare(conv, arrays);
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
    compare(conv, before);
  }

  void rounding_is_the_same_every_time() {
    Random random(logged_seed(37));
    const ConvProblem p = make_problem(19, 30, 12, 45, 5);
    const Arrays arrays = normal_arrays(p, random);
    OpenClFftConv conv(context_, p, "vector", opencl_limits(kPlenty, true));
    OpenClFftConv again(context_, p, "vector", opencl_limits(kPlenty, true));
    set_operands(conv, arrays);
    set_operands(again, arrays);
    compare_bits(conv, again);
  }

  // Stopped between its pieces, at any of them, a pass leaves nothing half made behind.
  void a_stopped_pass_can_be_run_again() {
    Random random(logged_seed(38));
    const ConvProblem p = make_problem(5, 3, 4, 2, 3);
    Arrays arrays(p);
    OpenClLimits little = opencl_limits(kPlenty, false);
    little.piece_flops = 1.0;
    OpenClFftConv conv(context_, p, "vector", little);
    for (const Pass pass : kAllPasses) {
      int pieces = 0;
      for (bool interrupted = true; interrupted; ++pieces) {
        arrays = Arrays(p, random);  // else what an earlier pass has left would do
        set_operands(conv, arrays);
        GuardedBuffer result(result_size(p, pass));
        StopToken stop;
        try {
          // A marker ends each piece.
          const opencl_layer::OnCall end_of_piece("clEnqueueMarkerWithWaitList", pieces,
                                                  [&] { stop.request_stop(); });
          conv.run(pass, result.data(), &stop);
          interrupted = false;
        } catch (const Interrupted&) {
        }
        QCOMPARE(stop.stop_requested(), interrupted);
        conv.run(pass, result.data(), nullptr);
        const double error = rms_error(result.span(), run_reference(p, pass, arrays, *pool_));
        QVERIFY2(error < kRounding, qPrintable(QString("%1, stopped at piece %2: error %3")
                                                   .arg(pass_name(pass))
                                                   .arg(pieces)
                                                   .arg(error)));
      }
      QVERIFY(pieces > 20);
    }
  }

  void what_the_transforms_cannot_do_is_refused() {
    ConvProblem strided = make_problem(2, 2, 20, 2, 3);
    strided.stride_width = 2;
    for (const ConvProblem& p : {strided, make_problem(2, 2, 20, 2, 12)}) {
      try {
        OpenClFftConv conv(context_, p, "vector", opencl_limits(kPlenty, true));
        QFAIL("no error");
      } catch (const Error& error) {
        QCOMPARE(error.kind(), ErrorKind::kDevice);
        QVERIFY2(QString(error.what()).contains("stride 1 and kernels of at most 11x11"),
                 error.what());
      }
    }
  }

  void parts_give_the_bits_of_the_whole_data() { add_kinds_of_parts(); }
  void parts_give_the_bits_of_the_whole() {
    Random random(logged_seed(39));
    compare_parts<OpenClFftConv>(context_, random, random_transformable);
  }

  void clblast_does_not_work_in_parts() { refuse_parts_of_clblast<OpenClFftConv>(context_); }

 private:
  // Sums of whole numbers are exact, but transforms round.
  static constexpr double kRounding = 1e-6;

  void compare(OpenClFftConv& conv, const Arrays& arrays) {
    compare_with_reference(conv, arrays, *pool_, kRounding);
  }

  std::shared_ptr<OpenClContext> context_, as_gpu_;
  std::unique_ptr<ThreadPool> pool_;
};

QTEST_GUILESS_MAIN(OpenClFftConvTest)
#include "opencl_fft_conv_test.moc"
