// From steps to a summary, on numbers worked out by hand.
#include <QTest>

#include "engine/training/run_statistics.h"

using namespace convoy;
using namespace std::chrono_literals;

class RunStatisticsTest : public QObject {
  Q_OBJECT
 private slots:
  void quantilesInterpolate() {
    QCOMPARE(quantile({3.0}, 0.9), 3.0);
    QCOMPARE(quantile({4.0, 1.0, 3.0, 2.0}, 0.5), 2.5);
    QCOMPARE(quantile({5.0, 1.0, 3.0}, 0.5), 3.0);
    QCOMPARE(quantile({0.0, 10.0, 20.0, 30.0}, 0.1), 3.0);
    QCOMPARE(quantile({0.0, 10.0}, 1.0), 10.0);
  }

  void stepTimesComeFromTheSlowestDevice() {
    const TimePoint t{};
    const std::vector<Slice> slices = {
        {0, 0, Pass::kForward, Activity::kCompute, t, t + 10ms, 0},
        {0, 0, Pass::kForward, Activity::kWait, t + 10ms, t + 40ms, 0},
        {1, 0, Pass::kForward, Activity::kReceive, t, t + 8ms, 100},
        {1, 0, Pass::kForward, Activity::kCompute, t + 8ms, t + 20ms, 0},
        {1, 1, Pass::kBackwardData, Activity::kCompute, t + 30ms, t + 35ms, 0},
    };
    const ConvTimes times = conv_times(slices, 40.0, 2);
    QCOMPARE(times.conv_ms, 17.0);
    QCOMPARE(times.comm_ms, 23.0);
    QCOMPARE(conv_times({}, 0.0, 3).conv_ms, 0.0);
  }

  void amdahl() {
    RunBaseline baseline;
    baseline.step_ms = 100.0;
    baseline.conv_ms = 80.0;
    QVERIFY(std::abs(amdahl_limit(baseline, baseline.conv_ms, 4.0) - 2.5) < 1e-12);
    QVERIFY(std::abs(amdahl_limit(baseline, baseline.conv_ms, 1.0) - 1.0) < 1e-12);
  }

  void summaryLeavesWarmUpOut() {
    RunStatistics statistics;
    for (int i = 0; i < 5; ++i) {
      RunStep step;
      step.step = i + 1;
      step.warm_up = i == 0;
      step.conv_ms = i == 0 ? 1000.0 : 60.0 + i;
      step.comm_ms = 20.0;
      step.comp_ms = 20.0 - i;
      step.step_ms = step.conv_ms + step.comm_ms + step.comp_ms;
      step.loss = 3.0 - i;
      statistics.add(step);
    }
    RunSummary summary;
    summary.batch_size = 50;
    summary.baseline_step_ms = 150.0;
    statistics.complete(summary, 2.0);
    QCOMPARE(summary.steps, 5);
    QCOMPARE(*summary.step_ms, 100.0);
    QCOMPARE(*summary.conv_ms, 62.5);
    QCOMPARE(*summary.comp_ms, 17.5);
    QCOMPARE(*summary.conv_share, 0.625);
    QCOMPARE(*summary.images_per_s, 500.0);
    QCOMPARE(*summary.speedup, 1.5);
    QCOMPARE(*summary.efficiency, 0.75);
    QCOMPARE(*summary.loss, -1.0);
  }

  void nothingMeasuredStaysAbsent() {
    RunSummary summary;
    summary.batch_size = 50;
    RunStatistics{}.complete(summary, 2.0);
    QCOMPARE(summary.steps, 0);
    QVERIFY(!summary.step_ms && !summary.speedup && !summary.loss && !summary.images_per_s);
  }

  void warmUpLeavesSomethingToMeasure() {
    for (int steps = 1; steps < 100; ++steps) QVERIFY(warm_up_steps(steps) < steps);
    QVERIFY(warm_up_steps(100) > 0);
  }
};

QTEST_APPLESS_MAIN(RunStatisticsTest)
#include "run_statistics_test.moc"
