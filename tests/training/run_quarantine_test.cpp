// Whole runs with a device that drops out: what listeners and files tell of it.
#include <QFile>
#include <QTemporaryDir>
#include <QTest>
#include <algorithm>
#include <cmath>
#include <functional>

#include "../cluster/faulty_device.h"
#include "engine/device/discovery.h"
#include "engine/training/run.h"

using namespace convoy;

namespace {

Experiment two_devices() {
  Experiment experiment;
  experiment.dataset.train_limit = 64;
  experiment.dataset.test_limit = 20;
  experiment.network.kernels = {6, 8};
  experiment.training.batch_size = 8;
  experiment.training.steps = 8;
  experiment.baseline = BaselineMode::kNone;
  experiment.distribution.shares = ShareMode::kEqual;
  const auto cores = available_cores();
  experiment.devices = {{"cpu:" + std::to_string(cores.front()), "A", 1.0, std::nullopt},
                        {"cpu:" + std::to_string(cores.back()), "B", 1.0, std::nullopt}};
  if (cores.size() == 1) experiment.clock = ClockMode::kVirtual;  // may share a core
  return experiment;
}

class Watched : public RunListener {
 public:
  explicit Watched(Experiment what) : experiment(std::move(what)) {}

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

  void on_calibrated(const RunCalibrated& event) override { calibrated = event; }
  void on_step(const RunStep& event) override {
    order += std::to_string(event.step);
    if (after_step) after_step(event.step);
  }
  void on_quarantine(const RunQuarantine& event) override {
    order += 'q';
    quarantine = event;
  }
  void on_readmission(const RunReadmission& event) override {
    order += 'r';
    readmission = event;
  }
  void on_shares(const RunShares& event) override {
    order += 's';
    shares = event;
  }
  void on_message(Severity, const std::string& text) override { messages.push_back(text); }

  bool said(const std::string& part) const {
    return std::any_of(messages.begin(), messages.end(), [&](const std::string& text) {
      return text.find(part) != std::string::npos;
    });
  }

  Experiment experiment;
  RunControl control;
  std::shared_ptr<Faults> faults = std::make_shared<Faults>();
  std::function<void(int)> after_step;
  std::string order;
  RunCalibrated calibrated;
  RunQuarantine quarantine;
  RunReadmission readmission;
  RunShares shares;
  std::vector<std::string> messages;
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
    Watched run(two_devices());
    run.after_step = [&](int step) {
      if (step == 2) run.faults->arm(Call::kBackwardData, Fault::kThrow);
      if (step == 4) {
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
    QCOMPARE(QString::fromStdString(run.order), QString("12qs34rs5678"));
    QCOMPARE(run.quarantine.step, 3);
    QCOMPARE(run.quarantine.name, std::string("B"));
    QCOMPARE(run.quarantine.during, std::string("layer 2, backward"));
    QCOMPARE(run.quarantine.reason, std::string("test:7: the device has been unplugged"));
    QVERIFY(!run.quarantine.hanging);
    QCOMPARE(run.readmission.step, 5);
    QCOMPARE(run.shares.kernels, run.calibrated.kernels);
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
    Watched run(experiment);
    run.faults->arm(Call::kMakeConv, Fault::kOutOfMemory);
    const RunSummary summary = run.run();
    QCOMPARE(summary.outcome, RunOutcome::kDone);
    QCOMPARE(QString::fromStdString(run.order), QString("q12"));
    QCOMPARE(run.quarantine.step, 0);
    QCOMPARE(run.quarantine.during, std::string("calibration"));
    QCOMPARE(run.quarantine.reason, std::string("out of memory"));
    QCOMPARE(run.calibrated.gflops[1], 0.0);
    QCOMPARE(run.calibrated.share[0], 1.0);
    QCOMPARE(summary.baseline, std::string("A"));
    QVERIFY(summary.predicted_step_ms && std::isfinite(*summary.predicted_step_ms));
    QVERIFY(summary.efficiency && std::isfinite(*summary.efficiency));
  }

  void aDeviceThatHangsIsLeftBehind() {
    Watched run(two_devices());
    run.after_step = [&](int step) {
      if (step == 2) run.faults->arm(Call::kForward, Fault::kHang);
      if (step == 4) run.control.readmit("B");  // still hangs
    };
    const RunSummary summary = run.run();
    QCOMPARE(summary.outcome, RunOutcome::kDone);
    QCOMPARE(QString::fromStdString(run.order), QString("12qs345678"));
    QVERIFY(run.quarantine.hanging);
    QVERIFY(run.said("Device B cannot be let in again: "));
    QVERIFY(run.said("still hangs"));
    QCOMPARE(devices_left_hanging(), 1);
    run.faults->release();
    while (devices_left_hanging() > 0) std::this_thread::yield();
  }
};

QTEST_GUILESS_MAIN(RunQuarantineTest)
#include "run_quarantine_test.moc"
