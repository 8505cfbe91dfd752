// How layers are cut to fit a device's memory: no device needed.
#include "engine/device/opencl_plan.h"

#include <QTest>
#include <set>

#include "engine/device/opencl_launch.h"
#include "tests/device/opencl_conv_case.h"

using namespace convoy;

namespace {

ConvProblem layer(int batch, int kernels) {
  return make_problem(batch, 50, 14, kernels, 5);
}

}  // namespace

class OpenClPlanTest : public QObject {
  Q_OBJECT

 private slots:
  // Each shape is compiled anew.
  void a_cpu_meets_few_shapes_of_work_groups() {
    std::set<std::array<std::size_t, 3>> shapes;
    for (std::size_t x = 1; x < 20; ++x)
      for (std::size_t y = 1; y < 100; ++y)
        for (std::size_t z = 1; z < 100; ++z) {
          const std::array global = {x, y, z}, group = cpu_work_group({x, y, z});
          for (std::size_t n = 0; n < 3; ++n)
            if (global[n] % group[n] != 0) QFAIL("an uneven group");
          shapes.insert(group);
        }
    QVERIFY(shapes.size() <= 28);
    QCOMPARE(cpu_work_group({3, 8, 16}), (std::array<std::size_t, 3>{1, 1, 16}));
    QCOMPARE(cpu_work_group({6}), (std::array<std::size_t, 3>{2, 1, 1}));
  }

  void nothing_is_cut_where_all_fits() {
    const OpenClBlocks whole{128, 800, 100};
    QCOMPARE(
        plan_blocks(layer(128, 800), opencl_limits(std::size_t{1} << 40, false), two_panels, "x"),
        whole);
  }

  void the_memory_of_a_layer_is_the_sum_of_its_buffers() {
    const ConvProblem p = layer(4, 6);
    const OpenClMemory memory = memory_of(p, {4, 6, 10}, opencl_limits(kPlenty, false), no_scratch);
    const std::size_t input = 50 * 14 * 14 * 4 * 4, output = 6 * 100 * 4 * 4;
    const std::size_t weight = 6 * 50 * 25 * 4, columns = 50 * 25 * 10 * 4 * 4;
    // The result's buffer is as large as the largest result, which here is the input's gradient.
    QCOMPARE(memory.total, input + output + weight + input + columns);
    QCOMPARE(memory.largest, columns);
    QCOMPARE(memory.scratch, columns);
    const OpenClMemory in_place =
        memory_of(p, {4, 6, 10}, opencl_limits(kPlenty, true), no_scratch);
    QCOMPARE(in_place.total, columns);
    // With a part of the pictures only the weights stay where they are.
    const OpenClMemory half = memory_of(p, {2, 6, 10}, opencl_limits(kPlenty, true), no_scratch);
    QCOMPARE(half.total, input / 2 + output / 2 + input / 2 + columns / 2);
    // Blocks that travel beside the computing take turns in two buffers.
    const OpenClLimits staged = opencl_limits(kPlenty, false, 64);
    QCOMPARE(memory_of(p, {4, 6, 10}, staged, no_scratch).total, memory.total);
    QCOMPARE(memory_of(p, {2, 6, 10}, staged, no_scratch).total,
             input + output + weight + input + columns / 2);
  }

  void a_layer_that_pools_keeps_its_maps_on_the_device() {
    const ConvProblem p = layer(4, 6);
    const auto total = [&](int batch, bool in_place, std::size_t staging) {
      OpenClLimits limits = opencl_limits(kPlenty, in_place, staging);
      limits.pooling = true;
      return memory_of(p, {batch, 6, 10}, limits, no_scratch).total;
    };
    const std::size_t input = 50 * 14 * 14 * 4 * 4, output = 6 * 100 * 4 * 4, pooled = output / 4;
    const std::size_t weight = 6 * 50 * 25 * 4, columns = 50 * 25 * 10 * 4 * 4;
    // The maps lie in the room of the largest result, their gradient beside it.
    QCOMPARE(total(4, false, 0), input + pooled + weight + input + output + columns);
    QCOMPARE(total(4, true, 0), output + output + columns);
    QCOMPARE(total(2, true, 0), input / 2 + pooled / 2 + input / 2 + output / 2 + columns / 2);
    // Of what is pooled only pooled maps take turns.
    QCOMPARE(total(2, false, 64), input + pooled + weight + input + output / 2 + columns / 2);
  }

  void a_piece_has_bounded_work_and_width() {
    OpenClLimits l = opencl_limits(std::size_t{1} << 40, false);
    l.piece_columns = 1280;
    QCOMPARE(plan_blocks(layer(128, 800), l, no_scratch, "x").positions, 10);
    l.piece_flops = 2.0 * 50 * 25 * 800 * 128 * 3.5;
    QCOMPARE(plan_blocks(layer(128, 800), l, no_scratch, "x").positions, 3);
    l.piece_flops = 1.0;
    QCOMPARE(plan_blocks(layer(128, 800), l, no_scratch, "x"), (OpenClBlocks{128, 800, 1}));
  }

  void every_limit_is_kept_down_to_the_smallest_piece() {
    const ConvProblem p = layer(37, 123);
    bool pictures_were_cut = false, kernels_were_cut = false;
    const OpenClMemory smallest =
        memory_of(p, {1, 1, 1}, opencl_limits(kPlenty, false), two_panels);
    for (std::size_t limit = std::size_t{1} << 30; limit >= smallest.total; limit -= limit / 7) {
      const OpenClBlocks blocks = plan_blocks(p, opencl_limits(limit, false), two_panels, "x");
      const OpenClMemory memory = memory_of(p, blocks, opencl_limits(limit, false), two_panels);
      QVERIFY2(memory.total <= limit, qPrintable(QString::number(limit)));
      QVERIFY(blocks.batch >= 1 && blocks.kernels >= 1 && blocks.positions >= 1);
      pictures_were_cut |= blocks.batch < p.batch;
      kernels_were_cut |= blocks.kernels < p.out_channels;
    }
    QVERIFY(pictures_were_cut);
    QVERIFY(kernels_were_cut);
    OpenClLimits l = opencl_limits(std::size_t{1} << 30, false);
    l.one_buffer = 60000;
    QVERIFY(memory_of(p, plan_blocks(p, l, two_panels, "x"), l, two_panels).largest <= 60000);
  }

  void too_little_memory_is_an_error_with_both_sizes() {
    const ConvProblem p = layer(8, 16);
    const OpenClMemory smallest =
        memory_of(p, {1, 1, 1}, opencl_limits(kPlenty, false), two_panels);
    QCOMPARE(plan_blocks(p, opencl_limits(smallest.total, false), two_panels, "x"),
             (OpenClBlocks{1, 1, 1}));
    try {
      plan_blocks(p, opencl_limits(smallest.total - 1, false), two_panels, "opencl:4:2");
      QFAIL("no error");
    } catch (const Error& error) {
      QCOMPARE(error.kind(), ErrorKind::kDevice);
      QCOMPARE(error.where(), std::string("opencl:4:2"));
      const QString what = error.what();
      QVERIFY2(what.contains(QString::number(smallest.total)), error.what());
      QVERIFY2(what.contains(QString::number(smallest.total - 1)), error.what());
    }
  }
};

QTEST_GUILESS_MAIN(OpenClPlanTest)
#include "opencl_plan_test.moc"
