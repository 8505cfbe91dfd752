// Every pass of a layer on an OpenCL device against the reference, whole and in pieces.
#include "engine/device/opencl_im2col_conv.h"

#include <QTest>

#include "engine/device/discovery.h"
#include "tests/device/first_opencl_device.h"
#include "tests/device/opencl_conv_case.h"

using namespace convoy;
using convoy::test::logged_seed;

class OpenClIm2colConvTest : public QObject {
  Q_OBJECT

 private slots:
  void initTestCase() {
    context_ = shared_opencl_context(first_opencl_device());
    pool_ = std::make_unique<ThreadPool>(available_cores());
  }
  void cleanupTestCase() { pool_.reset(); }

  void whole_numbers_are_exact_data() {
    QTest::addColumn<QString>("product");
    QTest::addColumn<bool>("in_place");
    for (const std::string& name : product_names(DeviceKind::kCpu))
      for (const bool in_place : {true, false})
        QTest::addRow("%s %s", name.c_str(), in_place ? "in place" : "copied")
            << QString::fromStdString(name) << in_place;
  }
  void whole_numbers_are_exact() {
    QFETCH(QString, product);
    QFETCH(bool, in_place);
    Random random(logged_seed(11));
    for (int round = 0; round < 30; ++round) {
      const ConvProblem p = random_problem(random);
      const Arrays arrays(p, random);
      OpenClIm2colConv conv(context_, p, product.toStdString(), opencl_limits(kPlenty, in_place));
      set_operands(conv, arrays);
      compare(conv, arrays);
    }
  }

  void pieces_of_any_size_give_the_same_data() {
    QTest::addColumn<QString>("product");
    QTest::addColumn<bool>("staged");
    for (const std::string& name : product_names(DeviceKind::kCpu))
      QTest::newRow(name.c_str()) << QString::fromStdString(name) << false;
    QTest::newRow("staged") << "vector" << true;
  }
  void pieces_of_any_size_give_the_same() {
    QFETCH(QString, product);
    QFETCH(bool, staged);
    Random random(logged_seed(12));
    int cut_pictures = 0, cut_kernels = 0, cut_positions = 0;
    for (int round = 0; round < 6; ++round) {
      const ConvProblem p = random_problem(random);
      const Arrays arrays(p, random);
      const int positions = p.out_height() * p.out_width();
      std::size_t total = 4 * (p.input_size() * 2 + p.weight_size() * 2 + p.output_size() * 2);
      for (int step = 0; step < 6; ++step, total -= total / 3) {
        try {
          OpenClIm2colConv conv(
              context_, p, product.toStdString(),
              staged ? opencl_limits(total, false, 1000) : opencl_limits(total, step % 2));
          const OpenClBlocks blocks = conv.blocks();
          const int pieces = parts(p.batch, blocks.batch) * parts(p.out_channels, blocks.kernels) *
                             parts(positions, blocks.positions);
          if (pieces > 200) break;  // nothing new, but slow
          cut_pictures += blocks.batch < p.batch;
          cut_kernels += blocks.kernels < p.out_channels;
          cut_positions += blocks.positions < positions;
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
    QVERIFY(cut_positions > 0);
  }

  // Not by a bit: how operands travel is nothing to the sums.
  void staged_transfers_change_nothing() {
    Random random(logged_seed(15));
    for (int round = 0; round < 20; ++round) {
      const ConvProblem p = random_problem(random);
      const Arrays arrays = normal_arrays(p, random);
      const std::size_t staging = 4 + random.below(round % 2 ? 300 : 100000);
      OpenClIm2colConv unified(context_, p, "vector", opencl_limits(kPlenty, true));
      OpenClIm2colConv staged(context_, p, "vector", opencl_limits(kPlenty, false, staging));
      set_operands(unified, arrays);
      set_operands(staged, arrays);
      compare_bits(unified, staged);
    }
  }

  void rounding_stays_small_and_is_the_same_every_time() {
    Random random(logged_seed(13));
    ConvProblem p = make_problem(19, 30, 12, 45, 5);
    p.padding = Padding::same(5, 5);
    const Arrays arrays = normal_arrays(p, random);
    for (const std::string& name : product_names(DeviceKind::kCpu)) {
      OpenClIm2colConv conv(context_, p, name, opencl_limits(kPlenty, true));
      OpenClIm2colConv again(context_, p, name, opencl_limits(kPlenty, true));
      set_operands(conv, arrays);
      set_operands(again, arrays);
      compare_bits(conv, again);
      // Single precision rounds to 6e-8; sums of some 2000 terms lose a few bits of that.
      compare_with_reference(conv, arrays, *pool_, 2e-6);
    }
  }

  void operands_that_are_set_again_are_read_again_data() {
    QTest::addColumn<bool>("in_place");
    QTest::addColumn<int>("staging");
    QTest::newRow("in place") << true << 0;
    QTest::newRow("copied") << false << 0;
    QTest::newRow("staged") << false << 256;
  }
  void operands_that_are_set_again_are_read_again() {
    QFETCH(bool, in_place);
    QFETCH(int, staging);
    Random random(logged_seed(14));
    const ConvProblem p = random_problem(random);
    Arrays arrays(p, random);
    OpenClIm2colConv conv(context_, p, "vector",
                          opencl_limits(kPlenty, in_place, static_cast<std::size_t>(staging)));
    compare_with_operands_set_again(conv, arrays, random, [&] { compare(conv, arrays); });
  }

  void parts_give_the_bits_of_the_whole_data() { add_kinds_of_parts(); }
  void parts_give_the_bits_of_the_whole() {
    Random random(logged_seed(16));
    compare_parts<OpenClIm2colConv>(context_, random, random_problem);
  }

  void clblast_does_not_work_in_parts() { refuse_parts_of_clblast<OpenClIm2colConv>(context_); }

 private:
  static int parts(int total, int block) { return (total + block - 1) / block; }

  // Sums of whole numbers are exact.
  void compare(OpenClIm2colConv& conv, const Arrays& arrays) {
    compare_with_reference(conv, arrays, *pool_, 0.0);
  }

  std::shared_ptr<OpenClContext> context_;
  std::unique_ptr<ThreadPool> pool_;
};

QTEST_GUILESS_MAIN(OpenClIm2colConvTest)
#include "opencl_im2col_conv_test.moc"
