// Whole runs with a device that drops out: what listeners and files tell of it.
#include <QFile>
#include <QTemporaryDir>
#include <QTest>
#include <cmath>

#include "engine/device/discovery.h"
#include "engine/training/run.h"
#include "tests/cluster/faulty_device.h"
#include "tests/training/small_run.h"

using namespace convoy;

namespace {

Experiment two_devices() {
  Experiment experiment = small_experiment({6, 8}, 8, 8);
  experiment.baseline = BaselineMode::kNone;
  experiment.distribution.shares = ShareMode::kEqual;
  const auto cores = available_cores();
  experiment.devices = {device_on("cpu:" + std::to_string(cores.front()), "A"),
                        device_on("cpu:" + std::to_string(cores.back()), "B")};
  if (cores.size() == 1) experiment.clock = ClockMode::kVirtual;  // may share a core
  return experiment;
}

// A run whose second device a test can break.
class BreakableRun : public RunRecorder {
 public:
  explicit BreakableRun(Experiment what) : experiment(std::move(what)) {}

  RunSummary run(const std::optional<std::filesystem::path>& out = std::nullopt) {
    RunOptions options;
    options.out = out;
    options.hooks.replace_device = [this](std::size_t place, std::unique_ptr<Device> device) {
      if (place == 0) return device;
      return std::unique_ptr<Device>(std::make_unique<FaultyDevice>(std::move(device), faults));
    };
    options.hooks.overdue = [faults = faults](int device, const WorkerCommand&,
                                              SteadyClock::duration) {
      return device == 1 && faults->hanging();
    };
    return run_experiment(experiment, control, {this}, options);
  }

  Experiment experiment;
  RunControl control;
  std::shared_ptr<Faults> faults = std::make_shared<Faults>();
};

// The kernels of a device in a layer's forward pass, by step; -1 where it has no line.
int kernels_in(const QByteArray& devices_csv, int step, const char* device, int layer) {
  const QByteArray begin =
      QByteArray::number(step) + ',' + device + ',' + QByteArray::number(layer) + ",forward,";
  for (const QByteArray& line : devices_csv.split('\n'))
    if (line.startsWith(begin)) return line.mid(begin.size()).split(',').first().toInt();
  return -1;
}

}  // namespace

class RunQuarantineTest : public QObject {
  Q_OBJECT
 private slots:
  void losesADeviceAndLetsItInAgain() {
    BreakableRun run(two_devices());
    run.after_step = [&](const RunStep& step) {
      if (step.step == 2) run.faults->arm(Call::kBackwardData, Fault::kThrow);
      if (step.step == 4) {
        run.faults->release();
        run.control.readmit("B");
        run.control.readmit("nobody");
      }
    };
    QTemporaryDir folder;
    const RunSummary summary = run.run(folder.path().toStdString());
    QCOMPARE(summary.outcome, RunOutcome::kDone);
    QCOMPARE(summary.steps, 8);
    QVERIFY(summary.test_accuracy.has_value());
    QCOMPARE(QString::fromStdString(run.order), QString("SC..qs..rs....F"));
    QCOMPARE(run.quarantines[0].step, 3);
    QCOMPARE(run.quarantines[0].name, std::string("B"));
    QCOMPARE(run.quarantines[0].during, std::string("layer 2, backward"));
    QCOMPARE(run.quarantines[0].reason, std::string("test:7: the device has been unplugged"));
    QVERIFY(!run.quarantines[0].hanging);
    QCOMPARE(run.readmissions[0].step, 5);
    QCOMPARE(run.shares.back().kernels, run.calibrated.kernels);
    QVERIFY(run.said(
        "Device B failed in layer 2, backward (test:7: the device has been unplugged) and is "
        "quarantined; 7 kernels of B went to A; step 3 is repeated."));
    QVERIFY(run.said("There is no device nobody in this run."));

    QFile file(folder.filePath("devices.csv"));
    QVERIFY(file.open(QIODevice::ReadOnly));
    const QByteArray csv = file.readAll();
    for (int step = 1; step <= 8; ++step) {
      const bool alone = step == 3 || step == 4;
      QCOMPARE(kernels_in(csv, step, "A", 1), alone ? 6 : 3);
      QCOMPARE(kernels_in(csv, step, "B", 1), alone ? -1 : 3);
      QCOMPARE(kernels_in(csv, step, "A", 2), alone ? 8 : 4);
    }
  }

  void whoFailsInCalibrationIsLeftOut() {
    Experiment experiment = two_devices();
    experiment.baseline = BaselineMode::kFastest;
    experiment.training.steps = 2;
    experiment.distribution.shares = ShareMode::kCalibrated;
    BreakableRun run(experiment);
    run.faults->arm(Call::kMakeConv, Fault::kOutOfMemory);
    const RunSummary summary = run.run();
    QCOMPARE(summary.outcome, RunOutcome::kDone);
    QCOMPARE(QString::fromStdString(run.order), QString("SqCCB..F"));
    QCOMPARE(run.quarantines[0].step, 0);
    QCOMPARE(run.quarantines[0].during, std::string("calibration"));
    QCOMPARE(run.quarantines[0].reason, std::string("out of memory"));
    QCOMPARE(run.calibrated.gflops[1], 0.0);
    QCOMPARE(run.calibrated.share[0], 1.0);
    QCOMPARE(summary.baseline, std::string("A"));
    QVERIFY(summary.predicted_step_ms && std::isfinite(*summary.predicted_step_ms));
    QVERIFY(summary.efficiency && std::isfinite(*summary.efficiency));
  }

  void aDeviceThatHangsIsLeftBehind() {
    BreakableRun run(two_devices());
    run.after_step = [&](const RunStep& step) {
      if (step.step == 2) run.faults->arm(Call::kForward, Fault::kHang);
      if (step.step == 4) run.control.readmit("B");  // still hangs
    };
    const RunSummary summary = run.run();
    QCOMPARE(summary.outcome, RunOutcome::kDone);
    QCOMPARE(QString::fromStdString(run.order), QString("SC..qs......F"));
    QVERIFY(run.quarantines[0].hanging);
    QVERIFY(run.said("Device B cannot be let in again: "));
    QVERIFY(run.said("still hangs"));
    QCOMPARE(devices_left_hanging(), 1);
    run.faults->release();
    while (devices_left_hanging() > 0) std::this_thread::yield();
  }
};

QTEST_GUILESS_MAIN(RunQuarantineTest)
#include "run_quarantine_test.moc"
