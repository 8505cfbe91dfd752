// The store's arithmetic on events made by hand.
#include "ui/live/run_store.h"

#include <QSignalSpy>
#include <QTest>
#include <algorithm>
#include <cmath>
#include <random>

using namespace convoy;
using namespace convoy::ui;

namespace {

RunStarted startedWith(int devices, int steps) {
  RunStarted started;
  started.batch_size = 100;
  started.steps = steps;
  for (int i = 0; i < devices; ++i) {
    RunDevice device;
    device.name = "device " + std::to_string(i);
    started.devices.push_back(device);
  }
  return started;
}

RunStep stepOf(int number, double ms, bool warmUp = false) {
  RunStep step;
  step.step = number;
  step.step_ms = ms;
  step.conv_ms = 0.5 * ms;
  step.comm_ms = 0.3 * ms;
  step.comp_ms = 0.2 * ms;
  step.loss = 1.0 / number;
  step.train_accuracy = 0.5;
  step.warm_up = warmUp;
  return step;
}

Slice sliceOf(int device, Activity activity, int ms, std::uint64_t bytes = 0) {
  Slice slice;
  slice.device = device;
  slice.activity = activity;
  slice.end = slice.begin + std::chrono::milliseconds(ms);
  slice.bytes = bytes;
  return slice;
}

}  // namespace

class RunStoreTest : public QObject {
  Q_OBJECT

 private slots:
  void startsIdleAndEmpty() {
    const RunStore store;
    QCOMPARE(store.state(), RunStore::State::Idle);
    QCOMPARE(store.stepCount(), 0);
    QVERIFY(!store.recentSpeedup());
    QVERIFY(!store.recentStepMs());
    QVERIFY(!store.medianStepMs());
    QVERIFY(!store.efficiency());
    QVERIFY(!store.imagesPerSecond());
    QVERIFY(!store.secondsLeft());
  }

  void followsThePhases() {
    RunStore store;
    store.start(startedWith(2, 10));
    QCOMPARE(store.state(), RunStore::State::Preparing);
    store.phase(RunPhase::kCalibrating, "layer 1", 1, 4);
    QCOMPARE(store.state(), RunStore::State::Calibrating);
    QCOMPARE(store.progress().what, "layer 1");
    QCOMPARE(store.progress().total, 4);
    store.phase(RunPhase::kBaseline, "", 0, 0);
    QCOMPARE(store.state(), RunStore::State::Baseline);
    store.step(stepOf(1, 10));
    QCOMPARE(store.state(), RunStore::State::Training);
    QVERIFY(store.running());
    RunSummary summary;
    summary.outcome = RunOutcome::kFailed;
    summary.failure = "device 1 is gone";
    store.finished(summary);
    QCOMPARE(store.state(), RunStore::State::Failed);
    QCOMPARE(store.failure(), "device 1 is gone");
    QVERIFY(!store.running());
  }

  void warmUpStaysOutOfTheMedians() {
    RunStore store;
    store.start(startedWith(1, 10));
    store.step(stepOf(1, 1000, true));
    store.step(stepOf(2, 900, true));
    QVERIFY(!store.medianStepMs());
    QVERIFY(!store.recentStepMs());
    QVERIFY(std::isnan(store.steps().recentStepMs[1]));
    store.step(stepOf(3, 100));
    store.step(stepOf(4, 300));
    QCOMPARE(*store.medianStepMs(), 200.0);
    QCOMPARE(*store.recentStepMs(), 200.0);
    store.step(stepOf(5, 110));
    QCOMPARE(*store.medianStepMs(), 110.0);
    QCOMPARE(store.steps().recentStepMs[4], 110.0);
    QCOMPARE(*store.imagesPerSecond(), 100.0 * 1000.0 / 110.0);
    QCOMPARE(*store.secondsLeft(), 5 * 0.110);
  }

  // A second of four computers' time may take this machine four.
  void whatIsLeftOnTheVirtualClockIsRealTime() {
    using namespace std::chrono_literals;
    Experiment experiment;
    experiment.clock = ClockMode::kVirtual;
    RunStarted started = startedWith(1, 10);
    started.experiment_json = experiment_json(experiment);
    RunStore store;
    store.start(started);
    TimePoint now{};
    store.step(stepOf(1, 100), now += 7s);
    QVERIFY(!store.secondsLeft());  // nobody knows how long that one took
    for (int i = 2; i <= 5; ++i) store.step(stepOf(i, 100), now += 400ms);
    QCOMPARE(*store.recentStepMs(), 100.0);
    QCOMPARE(*store.secondsLeft(), 5 * 0.4);
  }

  void givenSharesThatMoveEndThePrediction_data() {
    QTest::addColumn<bool>("calibratedShares");
    QTest::newRow("equal shares") << false;
    QTest::newRow("by calibration") << true;
  }
  void givenSharesThatMoveEndThePrediction() {
    QFETCH(bool, calibratedShares);
    Experiment experiment;
    if (!calibratedShares) experiment.distribution.shares = ShareMode::kEqual;
    RunStarted started = startedWith(2, 10);
    started.experiment_json = experiment_json(experiment);
    RunStore store;
    store.start(started);
    RunCalibrated calibrated;
    calibrated.share = {0.5, 0.5};
    calibrated.predicted_step_ms = 160.0;
    store.calibrated(calibrated);
    store.step(stepOf(1, 160));
    QVERIFY(store.asBegun());
    QCOMPARE(store.predictedStepMs(), std::optional(160.0));
    RunShares shares;
    shares.step = 2;
    shares.share = {0.9, 0.1};
    store.sharesChanged(shares);
    QCOMPARE(store.asBegun(), calibratedShares);
    QCOMPARE(store.predictedStepMs().has_value(), calibratedShares);
  }

  void recentMedianForgetsAndWholeMedianDoesNot() {
    RunStore store;
    store.start(startedWith(1, 1000));
    for (int i = 1; i <= 50; ++i) store.step(stepOf(i, 100));
    for (int i = 51; i <= 50 + RunStore::kRecentSteps; ++i) store.step(stepOf(i, 40));
    QCOMPARE(*store.recentStepMs(), 40.0);
    QCOMPARE(*store.medianStepMs(), 100.0);
    QCOMPARE(*store.recentCommMs(), 0.3 * 40.0);
  }

  void runningMedianAgreesWithSorting() {
    const unsigned seed = 20261121;
    qInfo("seed %u", seed);
    std::mt19937 random(seed);
    RunningMedian running;
    std::vector<double> all;
    for (int i = 0; i < 500; ++i) {
      const double value = double(random() % 50);  // with repeats
      running.add(value);
      all.push_back(value);
      std::vector<double> sorted = all;
      std::sort(sorted.begin(), sorted.end());
      const size_t n = sorted.size();
      QCOMPARE(*running.value(), (sorted[(n - 1) / 2] + sorted[n / 2]) / 2.0);
    }
  }

  void speedupEfficiencyAndPrediction() {
    RunStore store;
    store.start(startedWith(3, 10));
    RunCalibrated calibrated;
    calibrated.gflops = {50.0, 100.0, 25.0};
    calibrated.share = {0.3, 0.55, 0.15};
    calibrated.kernels = {{3, 5, 2}, {30, 55, 15}};
    calibrated.predicted_step_ms = 160.0;
    store.calibrated(calibrated);
    RunBaseline baseline;
    baseline.device = 1;
    baseline.step_ms = 240.0;
    baseline.amdahl_limit = 1.6;
    store.baseline(baseline);
    store.step(stepOf(1, 200));
    store.step(stepOf(2, 120));
    QCOMPARE(*store.speedupAt(0), 1.2);
    QCOMPARE(*store.speedupAt(1), 2.0);
    QCOMPARE(*store.recentSpeedupAt(1), 1.5);
    QCOMPARE(*store.recentSpeedup(), 1.5);
    QCOMPARE(*store.speedup(), 1.5);
    QCOMPARE(*store.pooledSpeed(), 1.75);
    QCOMPARE(*store.efficiency(), 1.5 / 1.75);
    QCOMPARE(*store.predictedSpeedup(), 1.5);
    QCOMPARE(*store.amdahlLimit(), 1.6);
    QCOMPARE(*store.deviceShare(1), 0.55);
    QCOMPARE(store.deviceKernels(2), (std::vector<int>{2, 15}));
  }

  void noBaselineMeansNoSpeedup() {
    RunStore store;
    store.start(startedWith(1, 10));
    store.step(stepOf(1, 100));
    QVERIFY(!store.recentSpeedup());
    QVERIFY(!store.speedupAt(0));
    QVERIFY(!store.amdahlLimit());
    QVERIFY(store.imagesPerSecond());
  }

  void addsADevicesSlicesUp() {
    RunStore store;
    store.start(startedWith(2, 10));
    RunStep step = stepOf(1, 100);
    step.slices = {sliceOf(0, Activity::kCompute, 30),     sliceOf(0, Activity::kCompute, 12),
                   sliceOf(0, Activity::kWait, 5),         sliceOf(1, Activity::kReceive, 7, 1000),
                   sliceOf(1, Activity::kReceive, 2, 500), sliceOf(1, Activity::kCompute, 20),
                   sliceOf(1, Activity::kSend, 9, 123)};
    store.step(step);
    QCOMPARE(store.deviceSteps(0).computeMs[0], 42.0);
    QCOMPARE(store.deviceSteps(0).waitMs[0], 5.0);
    QCOMPARE(store.deviceSteps(0).sendMs[0], 0.0);
    QCOMPARE(store.deviceSteps(1).receiveMs[0], 9.0);
    QCOMPARE(store.deviceSteps(1).bytesReceived[0], 1500U);
    QCOMPARE(store.deviceSteps(1).bytesSent[0], 123U);

    step.slices = {sliceOf(0, Activity::kCompute, 100)};
    store.step(step);
    store.step(step);
    QCOMPARE(store.recentDeviceTimes(0).computeMs, 100.0);
    QCOMPARE(store.recentDeviceTimes(0).waitMs, 0.0);
    QCOMPARE(store.deviceSteps(1).computeMs, (std::vector<double>{20.0, 0.0, 0.0}));
  }

  void lossIsSmoothedOverTheLastSteps() {
    RunStore store;
    store.start(startedWith(1, 100));
    double sum = 0.0;
    for (int i = 1; i <= 30; ++i) {
      store.step(stepOf(i, 100));
      if (i > 30 - RunStore::kRecentSteps) sum += 1.0 / i;
    }
    QVERIFY(std::abs(store.steps().recentLoss.back() - sum / RunStore::kRecentSteps) < 1e-15);
    QCOMPARE(store.steps().recentLoss.front(), 1.0);
  }

  void publishesOncePerChange() {
    RunStore store;
    QSignalSpy changed(&store, &RunStore::changed);
    store.publish();
    QCOMPARE(changed.count(), 0);
    store.start(startedWith(1, 10));
    for (int i = 1; i <= 5; ++i) store.step(stepOf(i, 10));
    QCOMPARE(changed.count(), 0);
    store.publish();
    store.publish();
    QCOMPARE(changed.count(), 1);
  }

  void aNewRunForgetsTheOld() {
    RunStore store;
    store.start(startedWith(2, 10));
    store.baseline({});
    store.step(stepOf(1, 10));
    store.message(Severity::kWarning, "old");
    store.start(startedWith(1, 5));
    QCOMPARE(store.stepCount(), 0);
    QCOMPARE(store.deviceCount(), 1);
    QVERIFY(!store.baseline());
    QVERIFY(!store.medianStepMs());
    QVERIFY(store.messages().empty());
    store.reset();
    QCOMPARE(store.state(), RunStore::State::Idle);
  }

  void messagesAreBounded() {
    RunStore store;
    QSignalSpy added(&store, &RunStore::messageAdded);
    for (int i = 0; i < RunStore::kMaxMessages + 20; ++i)
      store.message(Severity::kInfo, QString::number(i));
    QCOMPARE(added.count(), RunStore::kMaxMessages + 20);
    QCOMPARE(int(store.messages().size()), RunStore::kMaxMessages);
    QCOMPARE(store.messages().front().text, "20");
  }

  // 100,000 steps would take hours if adding one cost more the longer the run is.
  void longRunsKeepEveryStepOnce() {
    RunStore store;
    store.start(startedWith(5, 100000));
    RunStep step = stepOf(1, 10);
    for (int device = 0; device < 5; ++device)
      step.slices.push_back(sliceOf(device, Activity::kCompute, 3));
    for (int i = 1; i <= 100000; ++i) {
      step.step = i;
      step.step_ms = 10.0 + i % 7;
      store.step(step);
    }
    QCOMPARE(store.stepCount(), 100000);
    const RunStore::Steps& steps = store.steps();
    for (const auto* column :
         {&steps.stepMs, &steps.convMs, &steps.commMs, &steps.compMs, &steps.recentStepMs,
          &steps.loss, &steps.recentLoss, &steps.accuracy, &steps.recentAccuracy})
      QCOMPARE(column->size(), size_t(100000));
    QCOMPARE(store.deviceSteps(4).computeMs.size(), size_t(100000));
    QCOMPARE(*store.medianStepMs(), 13.0);
  }
};

QTEST_GUILESS_MAIN(RunStoreTest)
#include "run_store_test.moc"
