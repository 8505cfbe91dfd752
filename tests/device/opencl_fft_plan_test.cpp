// How a layer's transforms are cut to fit a device's memory: no device needed.
#include "engine/device/opencl_fft_plan.h"

#include <QTest>

#include "engine/conv/fft_geometry.h"
#include "tests/device/opencl_conv_case.h"

using namespace convoy;

class OpenClFftPlanTest : public QObject {
  Q_OBJECT

 private slots:
  void nothing_is_cut_where_all_fits() {
    const ConvProblem p = make_problem(128, 50, 14, 80, 5);
    const OpenClFftBlocks whole{128, 80};
    QCOMPARE(plan_fft_blocks(p, choose_fft_geometry(p, false),
                             opencl_limits(std::size_t{1} << 40, false), two_panels, "x"),
             whole);
  }

  void the_memory_is_the_sum_of_the_buffers() {
    const ConvProblem p = make_problem(4, 5, 14, 6, 5);
    FftGeometry geometry;
    geometry.vertical = geometry.horizontal = *make_fft_axis(14, 14, 10, 5, 0);
    // 4 real points and 96 complex ones.
    const std::size_t planes = 4 + 3 * 96;
    const std::size_t input = planes * 5 * 4 * 4, weight = planes * 6 * 5 * 4,
                      output = planes * 6 * 4 * 4;
    const OpenClMemory memory =
        fft_memory_of(p, geometry, {4, 6}, opencl_limits(kMuch, false), no_scratch);
    // The largest result is that of the weights, the largest operand on its way the input.
    QCOMPARE(memory.total, input + weight + output + weight + 5 * 14 * 14 * 4 * 4);
    QCOMPARE(memory.largest, weight);
    QCOMPARE(memory.scratch, memory.total);
    QCOMPARE(fft_memory_of(p, geometry, {4, 6}, opencl_limits(kMuch, true), no_scratch).total,
             input + weight + output + weight);
    // Staged, operands and results are on their way at the same time.
    QCOMPARE(fft_memory_of(p, geometry, {4, 6}, opencl_limits(kMuch, false, 64), no_scratch).total,
             memory.total + 5 * 14 * 14 * 4 * 4);
    // Maps that are pooled stay on the device.
    for (const bool in_place : {false, true}) {
      const OpenClLimits limits = opencl_limits(kMuch, in_place);
      OpenClLimits pooling = limits;
      pooling.pooling = true;
      QCOMPARE(fft_memory_of(p, geometry, {4, 6}, pooling, no_scratch).total,
               fft_memory_of(p, geometry, {4, 6}, limits, no_scratch).total + 6 * 10 * 10 * 4 * 4);
    }
  }

  void every_limit_is_kept_down_to_the_smallest_block() {
    const ConvProblem p = make_problem(37, 20, 14, 123, 5);
    const FftGeometry geometry = choose_fft_geometry(p, false);
    bool pictures_were_cut = false, kernels_were_cut = false;
    const OpenClMemory smallest =
        fft_memory_of(p, geometry, {1, 1}, opencl_limits(kMuch, false), two_panels);
    for (std::size_t limit = std::size_t{1} << 28; limit >= smallest.total; limit -= limit / 7) {
      const OpenClFftBlocks blocks =
          plan_fft_blocks(p, geometry, opencl_limits(limit, false), two_panels, "x");
      const OpenClMemory memory =
          fft_memory_of(p, geometry, blocks, opencl_limits(limit, false), two_panels);
      QVERIFY2(memory.total <= limit, qPrintable(QString::number(limit)));
      pictures_were_cut |= blocks.batch < p.batch;
      kernels_were_cut |= blocks.kernels < p.out_channels;
    }
    QVERIFY(pictures_were_cut);
    QVERIFY(kernels_were_cut);
    try {
      plan_fft_blocks(p, geometry, opencl_limits(smallest.total - 1, false), two_panels,
                      "opencl:4:2");
      QFAIL("no error");
    } catch (const Error& error) {
      QCOMPARE(error.kind(), ErrorKind::kDevice);
      QCOMPARE(error.where(), std::string("opencl:4:2"));
      QVERIFY2(QString(error.what()).contains(QString::number(smallest.total)), error.what());
    }
  }

  void products_are_bounded_in_work_and_scratch() {
    const ConvProblem p = make_problem(64, 100, 14, 100, 5);
    const FftGeometry geometry = choose_fft_geometry(p, false);
    OpenClLimits l = opencl_limits(kMuch, false);
    const auto count = [&](const ProductScratch& scratch) {
      return fft_product_size(p, geometry, Pass::kForward, {64, 100}, l, scratch).count;
    };
    const int planes = static_cast<int>(geometry.products());
    QCOMPARE(count(no_scratch), planes);
    QVERIFY(count(two_panels) <= planes);
    l.piece_flops = 2.0 * 100 * 100 * 64 * 10;
    QCOMPARE(count(no_scratch), 10);
    l.piece_flops = 1.0;
    QCOMPARE(count(no_scratch), 1);
    l.piece_flops = 1e15;
    const auto large = [](const ProductSize& size) {
      return std::vector<std::size_t>{std::size_t{5} << 20, std::size_t(size.count) << 20};
    };
    QVERIFY(count(large) <= 11);
  }

 private:
  static constexpr std::size_t kMuch = std::size_t{1} << 40;
};

QTEST_GUILESS_MAIN(OpenClFftPlanTest)
#include "opencl_fft_plan_test.moc"
