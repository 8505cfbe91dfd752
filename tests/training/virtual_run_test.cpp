// Runs on the virtual clock: their times follow from the pieces of work, everything else is that of
// a run on the wall clock.
#include <QTemporaryDir>
#include <QTest>
#include <algorithm>
#include <map>

#include "engine/cluster/schedule.h"
#include "engine/device/discovery.h"
#include "engine/results/device_work.h"
#include "engine/training/prediction_study.h"
#include "engine/training/run.h"
#include "tests/device/cpu_id.h"
#include "tests/training/small_run.h"

using namespace convoy;

namespace {

// Three computers, of which one machine has the core.
Experiment three_devices() {
  Experiment experiment = small_experiment({6, 9}, 16, 4);
  experiment.clock = ClockMode::kVirtual;
  experiment.devices = {device_on(cpu_id(0), "A"), device_on(cpu_id(0), "B", 4.0),
                        device_on(cpu_id(0), "C", 0.5)};
  experiment.devices[2].link = LinkSettings{40.0, 0.75, Duplex::kHalf};
  experiment.link = {100.0, 0.25, Duplex::kFull};
  experiment.distribution.shares = ShareMode::kExplicit;
  experiment.distribution.fractions = {0.5, 1.0 / 3.0, 1.0 - 0.5 - 1.0 / 3.0};
  return experiment;
}

struct RecordedRun : RunRecorder {
  explicit RecordedRun(const Experiment& experiment,
                       const std::optional<std::filesystem::path>& out = std::nullopt) {
    RunControl control;
    summary = run_experiment(experiment, control, {this}, out);
  }
  RunSummary summary;
};

bool near(double a, double b) {
  return std::abs(a - b) < 1e-4 + 1e-9 * std::abs(b);  // the clock counts nanoseconds
}

// The slices of one layer and direction, by device.
std::map<std::pair<int, bool>, std::vector<Slice>> exchanges(const RunStep& step) {
  std::map<std::pair<int, bool>, std::vector<Slice>> all;
  for (const Slice& slice : step.slices)
    all[{slice.layer, slice.pass == Pass::kForward}].push_back(slice);
  return all;
}

}  // namespace

class VirtualRunTest : public QObject {
  Q_OBJECT
 private slots:
  // By the paper's method an exchange takes what its slowest device takes to receive, compute and
  // send; and the layers of a step, the sum of the exchanges and of what the master adds.
  void stepsTakeWhatTheirPiecesTake() {
    const Experiment experiment = three_devices();
    const RecordedRun run(experiment);
    QCOMPARE(run.summary.outcome, RunOutcome::kDone);
    for (const RunStep& step : run.steps) {
      QVERIFY(near(step.step_ms, milliseconds(step.end - step.begin)));
      QVERIFY(near(step.step_ms, step.conv_ms + step.comm_ms + step.comp_ms));
      double waits_ms = 0.0, layers_ms = 0.0;
      for (const auto& [which, slices] : exchanges(step)) {
        std::vector<double> busy(experiment.devices.size());
        TimePoint begin = TimePoint::max(), end = TimePoint::min();
        double shortest_wait_ms = 1e9;
        for (const Slice& slice : slices) {
          const double ms = milliseconds(slice.end - slice.begin);
          begin = std::min(begin, slice.begin);
          end = std::max(end, slice.end);
          if (slice.activity == Activity::kWait) {
            shortest_wait_ms = std::min(shortest_wait_ms, ms);
            continue;
          }
          busy[static_cast<std::size_t>(slice.device)] += ms;
          if (slice.activity == Activity::kCompute) continue;
          const auto& own = experiment.devices[static_cast<std::size_t>(slice.device)].link;
          QVERIFY(near(ms, transfer_ms(own.value_or(experiment.link), slice.bytes)));
        }
        // Waiting is what is left to the slowest one's time, and to the master's sum.
        const double slowest = *std::max_element(busy.begin(), busy.end());
        QVERIFY(near(milliseconds(end - begin), slowest + shortest_wait_ms));
        layers_ms += milliseconds(end - begin);
        waits_ms += shortest_wait_ms;
      }
      QVERIFY(layers_ms - waits_ms > 0.0);
      QVERIFY(std::abs(step.conv_ms + step.comm_ms - layers_ms) < 0.2);
    }
  }

  // Nothing of one device overlaps, steps follow each other, and the master's own work lies between
  // the exchanges.
  void theTimelineIsOneOfSideBySideDevices() {
    const RecordedRun run(three_devices());
    TimePoint last{};
    for (const RunStep& step : run.steps) {
      QVERIFY(step.begin >= last);
      last = step.end;
      std::map<int, TimePoint> device_end;
      for (const Slice& slice : step.slices) {
        QVERIFY(slice.begin >= step.begin && slice.end >= slice.begin && slice.end <= step.end);
        auto& end = device_end[slice.device];
        QVERIFY(slice.begin >= end);
        end = slice.end;
        for (const RunStep::MasterWork& work : step.master)
          if (slice.activity != Activity::kWait)
            QVERIFY2(slice.end <= work.begin || slice.begin >= work.end, work.name);
      }
      TimePoint master_end = step.begin;
      for (const RunStep::MasterWork& work : step.master) {
        QVERIFY(work.begin >= master_end && work.end >= work.begin && work.end <= step.end);
        master_end = work.end;
      }
      // All devices of an exchange begin together.
      for (const auto& [which, slices] : exchanges(step)) {
        std::map<int, TimePoint> begins;
        for (const Slice& slice : slices) begins.emplace(slice.device, slice.begin);
        for (const auto& [device, begin] : begins) QCOMPARE(begin, begins.begin()->second);
      }
    }
  }

  void onlyTimesDifferFromTheWallClock() {
    // CPU devices of a wall-clock run need cores of their own.
    Experiment experiment = three_devices();
    const std::size_t devices = std::min<std::size_t>(2, available_cores().size());
    experiment.devices.resize(devices);
    for (std::size_t i = 0; i < devices; ++i) experiment.devices[i] = device_on(cpu_id(i), "");
    experiment.distribution.fractions =
        devices == 2 ? std::vector<double>{0.7, 0.3} : std::vector<double>{1.0};
    const RecordedRun virtual_run(experiment);
    experiment.clock = ClockMode::kWall;
    const RecordedRun wall_run(experiment);
    QCOMPARE(virtual_run.steps.size(), wall_run.steps.size());
    QCOMPARE(virtual_run.summary.test_accuracy, wall_run.summary.test_accuracy);
    for (std::size_t i = 0; i < wall_run.steps.size(); ++i) {
      QCOMPARE(virtual_run.steps[i].loss, wall_run.steps[i].loss);
      const auto ours = work_rows(virtual_run.steps[i].slices, devices, 2);
      const auto theirs = work_rows(wall_run.steps[i].slices, devices, 2);
      QCOMPARE(ours.size(), theirs.size());
      for (std::size_t row = 0; row < ours.size(); ++row) {
        QCOMPARE(ours[row].device, theirs[row].device);
        QCOMPARE(ours[row].work.bytes_sent, theirs[row].work.bytes_sent);
        QCOMPARE(ours[row].work.bytes_received, theirs[row].work.bytes_received);
      }
    }
  }

  // Every option alone and all together: what the formulas say travels is what a run counts, and a
  // prediction from the run's own file divides the layers as the run does.
  void bytesAreThoseOfTheFormulas_data() {
    QTest::addColumn<QString>("method");
    for (const char* method :
         {"paper", "resident", "fused", "fp16", "overlap", "batch", "all", "all by batch"})
      QTest::newRow(method) << method;
  }
  void bytesAreThoseOfTheFormulas() {
    QFETCH(QString, method);
    Experiment experiment = three_devices();
    experiment.training.steps = 1;
    experiment.training.batch_size = 64;  // two chunks
    experiment.baseline = BaselineMode::kMaster;
    DistributionOptions& options = experiment.distribution.options;
    const bool all = method.startsWith("all");
    options.resident_kernels = all || method == "resident";
    options.fuse_pooling = all || method == "fused";
    options.overlap = all || method == "overlap";
    if (all || method == "fp16") options.wire = WireFormat::kFp16;
    if (method.endsWith("batch")) options.split = SplitMode::kBatch;

    const QTemporaryDir folder;
    const RecordedRun run(experiment, folder.path().toStdString());
    const PredictionStudy study(
        read_calibration(folder.filePath("calibration.json").toStdString()));
    const Prediction prediction = study.predict(experiment);
    std::vector<std::uint64_t> counted(experiment.devices.size());
    for (const Slice& slice : run.steps.at(0).slices)
      counted[static_cast<std::size_t>(slice.device)] += slice.bytes;
    QCOMPARE(prediction.step.device_bytes, counted);
    QCOMPARE(counted[0], std::uint64_t{0});
    QVERIFY(counted[1] > 0 && counted[2] > 0);
    QVERIFY(*run.summary.predicted_step_ms > 0.0 && prediction.step.step_ms > 0.0);
  }

  // Predictions and the virtual clock are one schedule: what a step's own pieces of computing are
  // predicted to take is what the layers took.
  void aStepIsPredictedFromItsOwnPieces_data() {
    QTest::addColumn<QString>("method");
    for (const char* method : {"paper", "resident", "fused", "fp16", "batch"})
      QTest::newRow(method) << method;
  }
  void aStepIsPredictedFromItsOwnPieces() {
    QFETCH(QString, method);
    Experiment experiment = three_devices();
    DistributionOptions& options = experiment.distribution.options;
    options.resident_kernels = method == "resident";
    options.fuse_pooling = method == "fused";
    if (method == "fp16") options.wire = WireFormat::kFp16;
    if (method == "batch") options.split = SplitMode::kBatch;
    const RecordedRun run(experiment);
    std::vector<LinkSettings> links;
    for (const DeviceSpec& device : experiment.devices)
      links.push_back(device.link.value_or(experiment.link));
    const NetworkSpec spec{experiment.network};
    const auto problems = spec.conv_problems(experiment.training.batch_size);
    for (const RunStep& step : run.steps) {
      std::vector<LayerWork> layers;
      std::vector<const Slice*> updates;
      std::vector<double> update_ms(links.size());
      for (std::size_t layer = 0; layer < problems.size(); ++layer) {
        LayerWork work{options.split, layer > 0, {}};
        for (std::size_t device = 0; device < links.size(); ++device) {
          const int count = options.split == SplitMode::kBatch
                                ? run.calibrated.pictures[layer][device]
                                : run.calibrated.kernels[layer][device];
          PartWork part;
          part.problem = options.split == SplitMode::kBatch ? problems[layer].with_batch(count)
                                                            : problems[layer].with_kernels(count);
          const Slice* last = nullptr;
          for (const Slice& slice : step.slices) {
            if (slice.device != static_cast<int>(device) ||
                slice.layer != static_cast<int>(layer) || slice.activity != Activity::kCompute)
              continue;
            part.ms[static_cast<std::size_t>(slice.pass)] += milliseconds(slice.end - slice.begin);
            last = &slice;
          }
          if (options.resident_kernels) {  // the update comes last, as a part of this pass
            part.update_ms = milliseconds(last->end - last->begin);
            part.ms[static_cast<std::size_t>(Pass::kBackwardWeights)] -= part.update_ms;
            updates.push_back(last);
            update_ms[device] += part.update_ms;
          }
          work.parts.push_back(part);
        }
        layers.push_back(work);
      }
      // Of each exchange, without what the master adds to it.
      RunStep without_updates;
      for (const Slice& slice : step.slices)
        if (std::find(updates.begin(), updates.end(), &slice) == updates.end() &&
            slice.activity != Activity::kWait)
          without_updates.slices.push_back(slice);
      double layers_ms = *std::max_element(update_ms.begin(), update_ms.end());
      for (const auto& [which, slices] : exchanges(without_updates)) {
        TimePoint begin = TimePoint::max(), end = TimePoint::min();
        for (const Slice& slice : slices) {
          begin = std::min(begin, slice.begin);
          end = std::max(end, slice.end);
        }
        layers_ms += milliseconds(end - begin);
      }
      const StepPrediction predicted = predict_step(layers, links, options, 0.0);
      QVERIFY2(std::abs(predicted.step_ms - layers_ms) < 1e-3,
               qPrintable(QString("%1, %2").arg(predicted.step_ms).arg(layers_ms)));
    }
  }

  // The same device under three names is measured once, and each has its speed of it.
  void oneMeasurementServesEqualDevices() {
    Experiment experiment = three_devices();
    experiment.distribution.shares = ShareMode::kEqual;
    experiment.distribution.fractions.clear();
    experiment.training.steps = 1;
    const RecordedRun run(experiment);
    for (const auto& layer : run.calibrated.layers)
      for (std::size_t pass = 0; pass < 3; ++pass) {
        QCOMPARE(layer[1].ms[pass], layer[0].ms[pass] / 4.0);
        QCOMPARE(layer[2].ms[pass], layer[0].ms[pass] / 0.5);
        QCOMPARE(layer[1].algorithm[pass], layer[0].algorithm[pass]);
      }
    // The fastest is the baseline, four times as fast as the master.
    QCOMPARE(run.baseline.name, std::string("B"));
  }
};

QTEST_GUILESS_MAIN(VirtualRunTest)
#include "virtual_run_test.moc"
