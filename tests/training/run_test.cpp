// Whole runs on the built-in data: events in order, numbers that agree, stops, failures, live
// changes.
#include <QDir>
#include <QTemporaryDir>
#include <QTest>

#include "engine/device/discovery.h"
#include "engine/network/weight_file.h"
#include "engine/training/run.h"
#include "tests/training/small_run.h"

using namespace convoy;

namespace {

Experiment one_or_two_devices() {
  Experiment experiment = small_experiment({4, 6}, 16, 6);
  const auto cores = available_cores();
  experiment.devices = {device_on("cpu:" + std::to_string(cores.front()), "A")};
  if (cores.size() > 1)
    experiment.devices.push_back(device_on("cpu:" + std::to_string(cores.back()), "B"));
  return experiment;
}

RunSummary run(const Experiment& experiment, RunRecorder& recorder, RunControl& control,
               const std::optional<std::filesystem::path>& out = std::nullopt) {
  return run_experiment(experiment, control, {&recorder}, out);
}

bool has_file(const QTemporaryDir& folder, const char* name) {
  return QFile::exists(folder.filePath(name));
}

}  // namespace

class RunTest : public QObject {
  Q_OBJECT
 private slots:
  void tellsEverythingInOrder() {
    RunRecorder recorder;
    RunControl control;
    QTemporaryDir folder;
    const RunSummary summary =
        run(one_or_two_devices(), recorder, control, folder.path().toStdString());
    QCOMPARE(QString::fromStdString(recorder.order), QString("SCCB......F"));
    QCOMPARE(summary.outcome, RunOutcome::kDone);
    QCOMPARE(summary.steps, 6);
    QCOMPARE(summary.network, std::string("4:6"));
    QVERIFY(summary.speedup && summary.efficiency && summary.amdahl_limit && summary.test_accuracy);
    QCOMPARE(*summary.speedup, *summary.baseline_step_ms / *summary.step_ms);
    QVERIFY(*summary.predicted_step_ms > 0.0);
    QCOMPARE(recorder.finished.run, summary.run);
    QCOMPARE(recorder.calibrated.predicted_step_ms, summary.predicted_step_ms);
    for (const char* file : {"experiment.json", "steps.csv", "devices.csv", "summary.csv",
                             "trace.json", "weights.safetensors", "calibration.json"})
      QVERIFY2(has_file(folder, file), file);
  }

  void theCallerMayNameTheRun() {
    Experiment experiment = one_or_two_devices();
    experiment.baseline = BaselineMode::kNone;
    experiment.training.steps = 1;
    RunControl control;
    RunRecorder recorder;
    RunOptions options;
    options.run_id = new_run_id();
    QVERIFY(options.run_id != new_run_id());
    QCOMPARE(run_experiment(experiment, control, {&recorder}, options).run, options.run_id);
    QCOMPARE(recorder.started.run, options.run_id);
  }

  void scratchLimitsAreKept() {
    Experiment experiment = one_or_two_devices();
    experiment.baseline = BaselineMode::kMaster;
    experiment.training.steps = 1;
    RunRecorder free, limited;
    RunControl control_one, control_two;
    run(experiment, free, control_one);
    const std::size_t most = free.calibrated.layers[1][0].scratch_bytes;
    QVERIFY(most > 1000);
    experiment.devices[0].scratch_limit_mb = static_cast<double>(most - 1) / 1e6;
    run(experiment, limited, control_two);
    for (const auto& layer : limited.calibrated.layers) QVERIFY(layer[0].scratch_bytes < most);
    const Experiment resolved = parse_experiment(limited.started.experiment_json, "resolved");
    QCOMPARE(resolved.devices[0].scratch_limit_mb, experiment.devices[0].scratch_limit_mb);
    const auto tells_scratch = [](const RunRecorder& recorder) {
      return std::any_of(recorder.messages.begin(), recorder.messages.end(),
                         [](const auto& text) { return text.rfind("Scratch memory: A ", 0) == 0; });
    };
    QVERIFY(tells_scratch(limited));
    QVERIFY(!tells_scratch(free));  // nobody asked
  }

  void saysWhenALimitLeavesOnlyTheReference() {
    Experiment experiment = one_or_two_devices();
    experiment.baseline = BaselineMode::kNone;
    experiment.training.steps = 1;
    experiment.devices[0].scratch_limit_mb = 1e-6;
    RunRecorder recorder;
    RunControl control;
    QCOMPARE(run(experiment, recorder, control).outcome, RunOutcome::kDone);
    QCOMPARE(recorder.calibrated.layers[0][0].algorithm[0], std::string("reference"));
    QCOMPARE(recorder.calibrated.layers[0][0].scratch_bytes, std::size_t{0});
    QCOMPARE(std::count_if(recorder.messages.begin(), recorder.messages.end(),
                           [](const auto& text) {
                             return text.find("Device A computes layer") == 0 &&
                                    text.find("scratch_limit_mb") != std::string::npos;
                           }),
             std::ptrdiff_t{2});
  }

  void tellsWhatComputes() {
    RunRecorder recorder;
    RunControl control;
    run(one_or_two_devices(), recorder, control);
    for (std::size_t layer = 0; layer < 2; ++layer)
      for (const LayerCalibration& device : recorder.calibrated.layers[layer])
        for (const Pass pass : kAllPasses) {
          const auto i = static_cast<std::size_t>(pass);
          const bool needed = layer > 0 || pass != Pass::kBackwardData;
          QCOMPARE(!device.algorithm[i].empty(), needed);
          QCOMPARE(device.ms[i] > 0.0, needed);
        }
  }

  void stepsAddUp() {
    RunRecorder recorder;
    RunControl control;
    run(one_or_two_devices(), recorder, control);
    const std::size_t devices = recorder.started.devices.size();
    for (const RunStep& step : recorder.steps) {
      QVERIFY(std::abs(step.step_ms - step.conv_ms - step.comm_ms - step.comp_ms) < 1e-9);
      QVERIFY(step.conv_ms > 0.0 && step.comm_ms >= 0.0 && step.comp_ms > 0.0);
      std::vector<double> compute(devices);
      for (const Slice& slice : step.slices) {
        QVERIFY(slice.begin >= step.begin && slice.end <= step.end && slice.begin <= slice.end);
        if (slice.activity == Activity::kCompute)
          compute[static_cast<std::size_t>(slice.device)] += milliseconds(slice.end - slice.begin);
      }
      QVERIFY(std::abs(*std::max_element(compute.begin(), compute.end()) - step.conv_ms) < 1e-9);
      for (const auto& piece : step.master)
        QVERIFY(piece.begin >= step.begin && piece.end <= step.end);
    }
    QCOMPARE(recorder.steps[3].epoch, 1);
    QCOMPARE(recorder.steps[4].epoch, 2);
  }

  void theSplitDoesNotChangeTheTraining() {
    Experiment one = one_or_two_devices();
    one.devices.resize(1);
    one.baseline = BaselineMode::kNone;
    Experiment two = one_or_two_devices();
    two.baseline = BaselineMode::kNone;
    RunRecorder first, second;
    RunControl control_one, control_two;
    run(one, first, control_one);
    run(two, second, control_two);
    QCOMPARE(QString::fromStdString(first.order), QString("SC......F"));
    QVERIFY(!first.finished.speedup && !first.finished.baseline_step_ms);
    for (std::size_t i = 0; i < 6; ++i)
      QVERIFY2(std::abs(first.steps[i].loss - second.steps[i].loss) < 1e-4,
               qPrintable(QString("step %1").arg(i + 1)));
  }

  void initialWeightsTakeTheSeedsPlace() {
    // The weights that the seed gives, from a file: the same run to the last bit, at a fixed split.
    Experiment experiment = one_or_two_devices();
    experiment.distribution.shares = ShareMode::kEqual;
    experiment.baseline = BaselineMode::kNone;
    experiment.dataset.shuffle = false;
    QTemporaryDir folder;
    const std::string path = folder.filePath("start.safetensors").toStdString();
    const NetworkSpec spec{experiment.network, 3, 32, 32, 10};
    write_weights(path, spec, Parameters::he(spec, experiment.seed));
    RunRecorder from_seed, from_file;
    RunControl control_one, control_two;
    run(experiment, from_seed, control_one);
    experiment.seed = 99;
    experiment.training.initial_weights = path;
    experiment.dataset.kind = DatasetKind::kSynthetic;
    run(experiment, from_file, control_two);
    QVERIFY(from_seed.steps[0].loss != from_file.steps[0].loss);  // seed 99: other pictures
    experiment.seed = 1;
    RunRecorder same;
    RunControl control_three;
    run(experiment, same, control_three);
    QCOMPARE(same.steps[5].loss, from_seed.steps[5].loss);
  }

  void stopKeepsWhatWasMeasured() {
    Experiment experiment = one_or_two_devices();
    experiment.training.steps = 1000000;
    RunRecorder recorder;
    RunControl control;
    recorder.after_step = [&](const RunStep& step) {
      if (step.step == 5) control.request_stop();
    };
    QTemporaryDir folder;
    const RunSummary summary = run(experiment, recorder, control, folder.path().toStdString());
    QCOMPARE(summary.outcome, RunOutcome::kStopped);
    QCOMPARE(summary.steps, 5);
    QVERIFY(summary.step_ms && !summary.test_accuracy);
    QVERIFY(has_file(folder, "summary.csv") && has_file(folder, "weights.safetensors"));
  }

  // Weights that devices keep are fetched after Stop, unless the link is too slow for somebody who
  // waits.
  void stopFetchesWhatDevicesKeep() {
    for (const bool slow : {false, true}) {
      Experiment experiment = one_or_two_devices();
      experiment.training.steps = 1000000;
      experiment.distribution.options.resident_kernels = true;
      experiment.distribution.options.fuse_pooling = true;
      RunRecorder recorder;
      RunControl control;
      recorder.after_step = [&](const RunStep& step) {
        if (step.step != 3) return;
        if (slow) control.set_link({1e-4, 0.0, Duplex::kFull});
        control.request_stop();
      };
      QTemporaryDir folder;
      const RunSummary summary = run(experiment, recorder, control, folder.path().toStdString());
      QCOMPARE(summary.outcome, RunOutcome::kStopped);
      QVERIFY(has_file(folder, "summary.csv"));
      QCOMPARE(has_file(folder, "weights.safetensors"), !slow);
      if (slow) continue;
      const NetworkSpec spec{experiment.network, 3, 32, 32, 10};
      const Parameters saved =
          read_weights(folder.filePath("weights.safetensors").toStdString(), spec);
      const Parameters first = Parameters::he(spec, experiment.seed);
      QVERIFY(saved.conv[1].weight[7] != first.conv[1].weight[7]);
    }
  }

  void stopBeforeTheFirstStepIsNoFailure() {
    RunRecorder recorder;
    RunControl control;
    control.request_stop();
    try {
      QCOMPARE(run(one_or_two_devices(), recorder, control).outcome, RunOutcome::kStopped);
    } catch (const Interrupted&) {
      QVERIFY(recorder.order.empty());  // stopped while it was prepared: nothing had begun
    }
  }

  void bandwidthMovesDuringTheRun() {
    Experiment experiment = one_or_two_devices();
    if (experiment.devices.size() < 2) experiment.devices.push_back({"opencl:0:0", "B", 1.0, {}});
    experiment.link.bandwidth_mbps = 5000.0;
    experiment.baseline = BaselineMode::kNone;
    RunRecorder recorder;
    RunControl control;
    recorder.after_step = [&](const RunStep& step) {
      if (step.step == 3) control.set_link({100.0, 0.0});
    };
    const RunSummary summary = run(experiment, recorder, control);
    QCOMPARE(*summary.bandwidth_mbps, 100.0);
    QCOMPARE(*recorder.steps[2].bandwidth_mbps, 5000.0);
    QCOMPARE(*recorder.steps[3].bandwidth_mbps, 100.0);
    QVERIFY(recorder.said("100 Mb/s"));
    // Never faster than the link, however busy the machine is.
    for (const Slice& slice : recorder.steps[5].slices)
      if (slice.activity == Activity::kReceive)
        QVERIFY(milliseconds(slice.end - slice.begin) >=
                0.99 * static_cast<double>(slice.bytes) * 8.0 / 100e3);
  }

  void ownLinkIsNotMovedByTheDefault() {
    Experiment experiment = one_or_two_devices();
    if (experiment.devices.size() < 2) experiment.devices.push_back({"opencl:0:0", "B", 1.0, {}});
    experiment.devices[1].link = LinkSettings{2000.0, 0.0};
    experiment.baseline = BaselineMode::kNone;
    RunRecorder recorder;
    RunControl control;
    recorder.after_step = [&](const RunStep& step) {
      if (step.step == 1) control.set_link({0.0001, 0.0});  // days, if it were used
    };
    QCOMPARE(run(experiment, recorder, control).outcome, RunOutcome::kDone);
    QCOMPARE(*recorder.started.devices[1].link->bandwidth_mbps, 2000.0);
  }

  void explicitSharesAreKept() {
    Experiment experiment = one_or_two_devices();
    if (experiment.devices.size() < 2) experiment.devices.push_back({"opencl:0:0", "B", 1.0, {}});
    experiment.distribution.shares = ShareMode::kExplicit;
    experiment.distribution.fractions = {0.25, 0.75};
    RunRecorder recorder;
    RunControl control;
    run(experiment, recorder, control);
    QCOMPARE(recorder.calibrated.kernels, (std::vector<std::vector<int>>{{1, 3}, {2, 4}}));
  }

  void refusedBeforeAnythingIsWritten_data() {
    QTest::addColumn<int>("which");
    QTest::addColumn<QString>("fragment");
    QTest::addRow("two devices on one core") << 0 << "shares core";
    QTest::addRow("batch larger than the data") << 1 << "/training/batch_size";
    QTest::addRow("network too deep") << 2 << "layer";
    // A core, not an OpenCL device: those are asked for in tests/device, without ThreadSanitizer,
    // which cannot follow the libraries that an OpenCL loader brings in.
    QTest::addRow("missing device") << 3 << "no core 999";
    QTest::addRow("missing weights") << 4 << "no-such.safetensors";
    QTest::addRow("missing data") << 5 << "no-such-folder";
    QTest::addRow("more than the memory") << 6 << " GB";
    QTest::addRow("more steps than can be counted") << 7 << "/training/epochs";
  }
  void refusedBeforeAnythingIsWritten() {
    QFETCH(int, which);
    QFETCH(QString, fragment);
    Experiment experiment = one_or_two_devices();
    switch (which) {
      case 0:
        experiment.devices = {experiment.devices[0], {experiment.devices[0].id, "again", 1.0, {}}};
        break;
      case 1:
        experiment.training.batch_size = 1000;
        break;
      case 2:
        experiment.network.kernels = {2, 2, 2, 2, 2};
        break;
      case 3:
        experiment.devices.push_back({"cpu:999", "", 1.0, {}});
        break;
      case 4:
        experiment.training.initial_weights = "no-such.safetensors";
        break;
      case 6:
        experiment.network.kernels = {50000};
        experiment.dataset.train_limit = 20000;
        experiment.training.batch_size = 20000;
        break;
      case 7:
        experiment.training.steps.reset();
        experiment.training.epochs = 1'000'000;
        experiment.dataset.train_limit = 3000;
        experiment.training.batch_size = 1;
        break;
      default:
        experiment.dataset.kind = DatasetKind::kCifar10;
        experiment.dataset.path = "no-such-folder";
    }
    QTemporaryDir parent;
    const std::filesystem::path out = parent.filePath("out").toStdString();
    RunRecorder recorder;
    RunControl control;
    try {
      run(experiment, recorder, control, out);
      QFAIL("it was not refused");
    } catch (const Error& error) {
      QVERIFY2(QString(error.what()).contains(fragment), error.what());
    }
    QVERIFY(recorder.order.empty());
    QVERIFY(!std::filesystem::exists(out / "steps.csv"));
  }

  // The run is over: what it measured is kept where only the weights cannot be.
  void weightsThatCannotBeWrittenCostNothingElse() {
    QTemporaryDir folder;
    QVERIFY(QDir(folder.path()).mkpath("weights.safetensors.part/in the way"));
    RunRecorder recorder;
    RunControl control;
    try {
      run(one_or_two_devices(), recorder, control, folder.path().toStdString());
      QFAIL("no error");
    } catch (const Error& error) {
      QCOMPARE(error.kind(), ErrorKind::kRun);
      QVERIFY2(QString(error.what()).contains("weights.safetensors"), error.what());
      QCOMPARE(recorder.finished.failure, std::string(error.what()));
    }
    QCOMPARE(recorder.order.back(), 'F');
    QCOMPARE(recorder.finished.outcome, RunOutcome::kFailed);
    QVERIFY(recorder.finished.test_accuracy.has_value());
    QVERIFY(has_file(folder, "summary.csv"));
  }

  void divergenceEndsTheRunWithAMessage() {
    Experiment experiment = one_or_two_devices();
    experiment.training.sgd.learning_rate = 1000.0;
    experiment.training.sgd.weight_decay = 1.0;  // every step turns and grows the weights
    experiment.training.steps = 50;
    experiment.baseline = BaselineMode::kNone;
    RunRecorder recorder;
    RunControl control;
    QTemporaryDir folder;
    try {
      run(experiment, recorder, control, folder.path().toStdString());
      QFAIL("it did not diverge");
    } catch (const Error& error) {
      QCOMPARE(error.kind(), ErrorKind::kRun);
      QVERIFY2(QString(error.what()).contains("learning rate"), error.what());
    }
    QCOMPARE(recorder.finished.outcome, RunOutcome::kFailed);
    QVERIFY(has_file(folder, "summary.csv"));
  }
};

QTEST_GUILESS_MAIN(RunTest)
#include "run_test.moc"
