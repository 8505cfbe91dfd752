// Deadlines and new divisions: pure arithmetic.
#include "engine/cluster/deadline.h"

#include <QTest>
#include <chrono>
#include <limits>
#include <numeric>

#include "engine/cluster/quarantine.h"

using namespace convoy;
using namespace std::chrono_literals;

namespace {

ClusterPlan three_devices(SplitMode split = SplitMode::kKernels) {
  ClusterPlan plan;
  for (int number = 0; number < 2; ++number) {
    LayerPlan layer;
    layer.split = split;
    layer.problem.batch = 30;
    layer.problem.in_channels = 3;
    layer.problem.in_height = layer.problem.in_width = 16;
    layer.problem.out_channels = number == 0 ? 12 : 60;
    layer.problem.kernel_height = layer.problem.kernel_width = 3;
    layer.cost = {{0.0, 100.0}, {0.0, 200.0}, {0.0, 100.0}};
    layer.set_counts(split_by_cost(layer.whole(), layer.cost));
    plan.layers.push_back(layer);
  }
  return plan;
}

WorkerCommand command(CommandKind kind, int layer) {
  WorkerCommand command;
  command.kind = kind;
  command.layer = layer;
  return command;
}

}  // namespace

class DeadlineTest : public QObject {
  Q_OBJECT
 private slots:
  void tenTimesTheCalibratedTimeAndTenSeconds() {
    const Overdue overdue = overdue_by(three_devices());
    // Layer 2 on device 1: 12 kernels of 200 ms.
    for (const CommandKind kind : {CommandKind::kForward, CommandKind::kBackward}) {
      QVERIFY(!overdue(1, command(kind, 1), 33900ms));
      QVERIFY(overdue(1, command(kind, 1), 34100ms));
    }
    // Layer 1 on device 0: 5 kernels of 100 ms.
    QVERIFY(!overdue(0, command(CommandKind::kForward, 0), 14900ms));
    QVERIFY(overdue(0, command(CommandKind::kForward, 0), 15100ms));
  }

  void theFirstCommandsHaveMinutes() {
    const Overdue overdue = overdue_by(three_devices());
    QVERIFY(!overdue(1, command(CommandKind::kConfigure, 1), 9min));
    QVERIFY(overdue(1, command(CommandKind::kConfigure, 1), 11min));
    WorkerCommand measure = command(CommandKind::kMeasure, 0);
    measure.part.problem = three_devices().layers[1].problem;
    QVERIFY(!overdue_uncalibrated(1, measure, 10min));
    QVERIFY(overdue_uncalibrated(1, measure, 24h));
    WorkerCommand rehearse = command(CommandKind::kRehearse, 0);
    rehearse.step = {{measure.part, {}}};
    QVERIFY(!overdue_uncalibrated(1, rehearse, 10min));
    QVERIFY(overdue_uncalibrated(1, rehearse, 24h));
    // Without a calibration nobody knows how long a pass may take.
    QVERIFY(!overdue_uncalibrated(1, command(CommandKind::kForward, 0), 24h));
  }

  void whoIsLeftSharesByCost_data() {
    QTest::addColumn<SplitMode>("split");
    QTest::newRow("kernels") << SplitMode::kKernels;
    QTest::newRow("batch") << SplitMode::kBatch;
  }
  void whoIsLeftSharesByCost() {
    QFETCH(SplitMode, split);
    ClusterPlan plan = three_devices(split);
    plan.layers[0].cost[2].ms_per_kernel = std::numeric_limits<double>::infinity();
    const ClusterPlan next = replan(plan, {}, {true, true, false});
    for (const LayerPlan& layer : next.layers) {
      const int whole = layer.whole();
      QCOMPARE(layer.counts(), (std::vector<int>{whole * 2 / 3, whole / 3, 0}));
      QCOMPARE(layer.kernels[2], 0);
    }
  }

  void fixedSharesKeepTheirProportions() {
    const ClusterPlan plan = three_devices();
    const ClusterPlan next = replan(plan, {false, {0.25, 0.5, 0.25}}, {true, false, true});
    QCOMPARE(next.layers[1].counts(), (std::vector<int>{30, 0, 30}));
    const ClusterPlan rest = replan(plan, {false, {0.0, 1.0, 0.0}}, {true, false, true});
    QCOMPARE(rest.layers[1].counts(), (std::vector<int>{30, 0, 30}));
  }

  void tellsWhoGaveWhom() {
    const ClusterPlan plan = three_devices();
    const ClusterPlan next = replan(plan, {}, {true, false, true});
    const std::vector<std::string> names{"A", "B", "C"};
    QCOMPARE(describe_moves(plan, next, names), std::string("14 kernels of B went to A and C"));
    QCOMPARE(describe_moves(plan, plan, names), std::string());
    const ClusterPlan pictures = three_devices(SplitMode::kBatch);
    QCOMPARE(describe_moves(pictures, replan(pictures, {}, {true, true, false}), names),
             std::string("24 pictures of C went to A and B"));
  }
};

QTEST_GUILESS_MAIN(DeadlineTest)
#include "deadline_test.moc"
