// Predictions from records with round numbers, worked out by hand; calibration files; curves.
#include <QTest>

#include "engine/training/prediction_study.h"
#include "tests/base/error_of.h"
#include "tests/training/prediction_records.h"

using namespace convoy;
using convoy::test::error_of;

namespace {

constexpr double kInput = 4.0 * 10 * 3 * 32 * 32, kWeight = 4.0 * 4 * 3 * 5 * 5,
                 kOutput = 4.0 * 10 * 4 * 28 * 28;

}  // namespace

class PredictionStudyTest : public QObject {
  Q_OBJECT
 private slots:
  void addsUpWhatWasMeasured() {
    const PredictionStudy study({one_layer()});
    const Prediction alone = study.predict(one_layer_experiment(1));
    QCOMPARE(alone.step.conv_ms, 80.0);
    QCOMPARE(alone.step.comm_ms, 0.0);
    QCOMPARE(alone.step.comp_ms, 20.0);
    QCOMPARE(*alone.baseline_step_ms, 100.0);
    QCOMPARE(*alone.speedup, 1.0);
    QCOMPARE(alone.step.bytes, std::uint64_t{0});

    Experiment two = one_layer_experiment();
    two.link = {80.0, 0.5, Duplex::kFull};  // 10 bytes a microsecond
    const Prediction pair = study.predict(two);
    QCOMPARE(pair.counts, (std::vector<std::vector<int>>{{4, 4}}));
    const double bytes = kInput + 2 * kWeight + 2 * kOutput;
    QCOMPARE(static_cast<double>(pair.step.bytes), bytes);
    QCOMPARE(pair.step.device_bytes, (std::vector<std::uint64_t>{0, pair.step.bytes}));
    QCOMPARE(pair.step.conv_ms, 40.0);
    QCOMPARE(pair.step.comm_ms, bytes / 1e4 + 5 * 0.5);
    QCOMPARE(pair.step.step_ms, 60.0 + bytes / 1e4 + 2.5);
    QCOMPARE(pair.baseline, std::string("A"));
  }

  void speedsLinksAndMoreOfTheSameNeedNoMeasurement() {
    const PredictionStudy study({one_layer()});
    Experiment four = one_layer_experiment(4);
    QCOMPARE(study.predict(four).step.step_ms, 20.0 + 20.0);
    four.devices[0].speed = 2.0;
    four.baseline = BaselineMode::kMaster;
    const Prediction fast_master = study.predict(four);
    QCOMPARE(fast_master.step.comp_ms, 10.0);
    QCOMPARE(*fast_master.baseline_step_ms, 50.0);
    four.devices[3].link = LinkSettings{1.0, 1000.0, Duplex::kFull};
    QVERIFY(study.predict(four).step.step_ms > 5000.0);
  }

  void eachOptionChangesWhatItShould() {
    const PredictionStudy study({one_layer()});
    Experiment experiment = one_layer_experiment();
    const StepPrediction plain = study.predict(experiment).step;
    auto& options = experiment.distribution.options;

    options.fuse_pooling = true;
    const StepPrediction fused = study.predict(experiment).step;
    QCOMPARE(fused.comp_ms, plain.comp_ms - 10.0);
    QCOMPARE(fused.conv_ms, plain.conv_ms + 5.0);
    QCOMPARE(static_cast<double>(fused.bytes),
             kInput + 2 * kWeight + 2 * kOutput / 4 + 2 * 4 * 4.0);
    options = {};
    options.resident_kernels = true;
    const StepPrediction resident = study.predict(experiment).step;
    const double weights = 8 * 75, all = weights + 8 + 10 * (8 * 14 * 14 + 1);
    QCOMPARE(resident.comp_ms, plain.comp_ms - 7.0 * weights / all);
    QCOMPARE(static_cast<double>(resident.bytes), kInput + 2 * kOutput);
    options = {};
    options.wire = WireFormat::kFp16;
    QCOMPARE(study.predict(experiment).step.bytes, plain.bytes / 2);
    options = {};
    options.split = SplitMode::kBatch;
    const Prediction by_batch = study.predict(experiment);
    QCOMPARE(by_batch.counts, (std::vector<std::vector<int>>{{5, 5}}));
    QCOMPARE(static_cast<double>(by_batch.step.bytes), kInput / 2 + 4 * kWeight + 2 * kOutput);
    // Whichever takes less time: the kernels travel anyway, half of the input need not.
    options.split = SplitMode::kAuto;
    experiment.link.bandwidth_mbps = 200.0;
    const Prediction automatic = study.predict(experiment);
    QCOMPARE(automatic.split, std::vector{SplitMode::kBatch});
    // The shares count what travels: equal ones would take 17.6 + 35.1 ms, these 14 + 36.
    QCOMPARE(automatic.counts, (std::vector<std::vector<int>>{{6, 4}}));
    // A link that takes longer than all the work leaves its device out.
    experiment.link.bandwidth_mbps = 10.0;
    QCOMPARE(study.predict(experiment).counts, (std::vector<std::vector<int>>{{8, 0}}));
  }

  void overlapHidesTransfers() {
    for (const std::string algorithm : {"fft", "gemm"}) {
      CalibrationRecord record = one_layer();
      record.batch_size = 128;
      for (auto& device : record.devices) device.layers[0].algorithm = {algorithm, "", algorithm};
      const PredictionStudy study({record});
      Experiment experiment = one_layer_experiment();
      experiment.training.batch_size = 128;
      experiment.link.bandwidth_mbps = 1000.0;
      const StepPrediction waiting = study.predict(experiment).step;
      experiment.distribution.options.overlap = true;
      const StepPrediction hidden = study.predict(experiment).step;
      QCOMPARE(hidden.bytes, waiting.bytes);
      QCOMPARE(hidden.conv_ms, waiting.conv_ms);
      // Without chunks, and without a gradient of the input, there is nothing to hide behind.
      QCOMPARE(hidden.comm_ms < waiting.comm_ms, algorithm == "fft");
      QVERIFY(hidden.comm_ms > 0.0);
    }
  }

  // Cuts are made as long as they pay, and what they cost is in the prediction.
  void cutsCost() {
    CalibrationRecord record = one_layer();
    record.batch_size = 128;
    for (auto& device : record.devices) device.layers[0].algorithm = {"fft", "", "fft"};
    Experiment experiment = one_layer_experiment();
    experiment.training.batch_size = 128;
    experiment.link.bandwidth_mbps = 1000.0;
    experiment.distribution.options.overlap = true;
    const auto predict = [&](double cut_ms) {
      record.devices[1].layers[0].cut_ms = CutCost{cut_ms, 0.0};
      return PredictionStudy({record}).predict(experiment).step;
    };
    const StepPrediction free = predict(0.0), cheap = predict(0.5), dear = predict(100.0);
    QVERIFY(free.step_ms < cheap.step_ms);
    QVERIFY(cheap.step_ms < dear.step_ms);
    QVERIFY(cheap.conv_ms > free.conv_ms);
    QCOMPARE(dear.conv_ms, free.conv_ms);  // in one piece
    experiment.devices[1].speed = 2.0;     // cuts cost half as much there
    experiment.distribution.shares = ShareMode::kEqual;
    const double half = predict(1.0).step_ms;
    experiment.devices[1].speed = 1.0;
    record.devices[1].layers[0].ms = {5.0, 0.0, 15.0};
    record.devices[1].layers[0].cost.ms_per_kernel = 5.0;
    record.devices[1].id = "cpu:9";  // not the baseline's twin
    experiment.devices[1].id = "cpu:9";
    QCOMPARE(predict(0.5).step_ms, half);
  }

  void curvesFollowTheirParameter() {
    CalibrationRecord small = one_layer(), large = one_layer();
    large.batch_size = 20;
    const PredictionStudy study({large, small});
    const Experiment experiment = one_layer_experiment(4);
    double last = 1e9;
    for (const CurvePoint& point : study.over_bandwidth(experiment, curve_bandwidths())) {
      QVERIFY(point.prediction.step.step_ms < last);
      last = point.prediction.step.step_ms;
    }
    const auto devices = study.over_devices(experiment);
    QCOMPARE(devices.size(), std::size_t{4});
    for (const CurvePoint& point : devices)
      QCOMPARE(static_cast<double>(point.prediction.devices.size()), point.x);
    QCOMPARE(devices[1].prediction.step.step_ms, 60.0);
    QCOMPARE(study.batch_sizes(experiment), (std::vector<int>{10, 20}));
    QCOMPARE(study.over_batch(experiment).size(), std::size_t{2});
    // Without devices the experiment has those of the calibration.
    Experiment any = experiment;
    any.devices.clear();
    QCOMPARE(study.over_devices(any).size(), std::size_t{2});
  }

  void whatIsNotCalibratedIsNamed() {
    const PredictionStudy study({one_layer()});
    Experiment experiment = one_layer_experiment();
    experiment.training.batch_size = 11;
    const auto refusal = [&] {
      return error_of(ErrorKind::kExperiment, [&] { study.predict(experiment); });
    };
    VERIFY_CONTAINS(refusal(), "at batch size 11; there is 8 on synthetic at batch size 10");
    experiment = one_layer_experiment();
    experiment.devices[1].id = "opencl:0:0";
    QCOMPARE(refusal(),
             std::string("/devices/1/id: found \"opencl:0:0\"; the calibration has cpu:0, cpu:1"));
    experiment.devices[1].id = "cpu:1";
    experiment.devices[1].scratch_limit_mb = 5.0;
    VERIFY_CONTAINS(refusal(), "scratch");
  }

  void filesReadBackToTheSameNumbers() {
    CalibrationRecord record = one_layer();
    record.devices[0].layers[0].ms[0] = 1.0 / 3.0;
    record.devices[1].scratch_limit_mb = 12.5;
    record.devices[1].layers[0].cut_ms = CutCost{2.0 / 3.0, 0.0};
    const MovingCost moving{{1.0 / 3.0, 2.0 / 3.0, 4.0 / 3.0}, 1.0 / 7.0, 1.0 / 9.0, 2};
    record.devices[1].layers[0].moving = moving;
    const std::string text = calibration_json({record, one_layer()});
    const auto back = parse_calibration(text, "c.json");
    QCOMPARE(back.size(), std::size_t{2});
    QCOMPARE(calibration_json(back), text);
    QCOMPARE(back[0].devices[0].layers[0].ms[0], 1.0 / 3.0);
    QVERIFY(!back[0].devices[0].layers[0].cut_ms);
    QCOMPARE(back[0].devices[1].layers[0].cut_ms->forward, 2.0 / 3.0);
    QVERIFY(back[0].devices[1].layers[0].moving == moving);
    QVERIFY(back[0].devices[0].layers[0].moving == MovingCost());
  }

  void damagedFilesAreRefused() {
    const std::string good = calibration_json({one_layer()});
    const auto broken = [&](const std::string& from, const std::string& to) {
      std::string text = good;
      const std::size_t at = text.find(from);
      if (at == std::string::npos) return "nothing to replace: " + from;
      text.replace(at, from.size(), to);
      return error_of(ErrorKind::kData, [&] { parse_calibration(text, "c.json"); });
    };
    QVERIFY(broken("{", "").starts_with("c.json"));
    VERIFY_CONTAINS(broken("convoy_calibration", "steps"), "this is no calibration");
    QVERIFY(broken("\"ms_each\": 10.0", "\"ms_each\": 0")
                .starts_with("c.json: /calibrations/0/devices/0/layers/0/ms_each: found 0; "));
    VERIFY_CONTAINS(broken("\"baseline\"", "\"base\""), "\"baseline\" is missing");
    VERIFY_CONTAINS(broken("\"kernel_size\": 5", "\"kernel_size\": 99"), "kernel");
    VERIFY_CONTAINS(broken("\"split\": \"kernels\"", "\"split\": \"auto\""), "kernels");
  }
};

QTEST_GUILESS_MAIN(PredictionStudyTest)
#include "prediction_study_test.moc"
