// What split auto is predicted to do over any bandwidth, from where on a distribution pays, and the
// words for it.
#include <QTest>

#include "engine/training/prediction_study.h"
#include "tests/training/prediction_records.h"

using namespace convoy;

namespace {

std::string verdict_of(const PredictionStudy& study, const Experiment& experiment) {
  return study.verdict(experiment, study.break_even(experiment));
}

}  // namespace

class BreakEvenTest : public QObject {
  Q_OBJECT
 private slots:
  // 40 ms of 80 are saved on two devices: 8 * bytes / bandwidth may cost no more.
  void theBreakEvenIsWhereTheSpeedupIsOne() {
    const PredictionStudy study({one_layer()});
    const Experiment experiment = one_layer_experiment();
    const BreakEven even = study.break_even(experiment);
    QCOMPARE(even.kind, BreakEven::Kind::kAt);
    constexpr double kInput = 4.0 * 10 * 3 * 32 * 32, kWeight = 4.0 * 4 * 3 * 5 * 5,
                     kOutput = 4.0 * 10 * 4 * 28 * 28;
    const double bytes = kInput + 2 * kWeight + 2 * kOutput;
    QCOMPARE(even.bandwidth_mbps, bytes * 8 / 40e-3 / 1e6);
    QVERIFY(break_even_text(even).ends_with(" Mb/s"));

    Experiment slow = with_bandwidth(experiment, 20.0);
    QVERIFY2(verdict_of(study, slow).starts_with("Not worth it below 75 Mb/s: at 20 Mb/s "),
             verdict_of(study, slow).c_str());
    QVERIFY(verdict_of(study, slow).ends_with(" as long as on A alone."));
    QVERIFY(verdict_of(study, experiment).starts_with("Worth it: at unlimited bandwidth"));
    slow.link.latency_ms = 20.0;
    QCOMPARE(study.break_even(slow).kind, BreakEven::Kind::kNever);
    QVERIFY(verdict_of(study, slow).starts_with("Not worth it at any bandwidth: "));
    QCOMPARE(study.break_even(with_devices(experiment, 1)).kind, BreakEven::Kind::kAlways);
  }

  void automaticSplits_data() {
    QTest::addColumn<std::vector<double>>("speeds");
    QTest::addColumn<double>("latency");
    QTest::newRow("two equal") << std::vector{1.0, 1.0} << 0.0;
    QTest::newRow("three equal") << std::vector{1.0, 1.0, 1.0} << 0.0;
    QTest::newRow("four equal") << std::vector{1.0, 1.0, 1.0, 1.0} << 0.0;
    QTest::newRow("four, latency") << std::vector{1.0, 1.0, 1.0, 1.0} << 0.5;
    QTest::newRow("much latency") << std::vector{1.0, 1.0} << 20.0;
    QTest::newRow("unequal") << std::vector{2.0, 1.0, 0.3} << 0.0;
    QTest::newRow("master slowest") << std::vector{0.4, 1.0, 2.0} << 0.0;
    QTest::newRow("master slowest, latency") << std::vector{0.25, 3.0} << 1.0;
  }
  // Over a faster link no step takes longer, but by what is too little for a calibration to tell
  // (cuts that gain less are not made); over none does it take longer than on the master alone, or
  // than split one way all through.
  void automaticSplits() {
    QFETCH(std::vector<double>, speeds);
    QFETCH(double, latency);
    const PredictionStudy study({two_layers()});
    DistributionOptions overlap_only;
    overlap_only.overlap = true;
    for (DistributionOptions options : {best_options(), paper_options(), overlap_only}) {
      Experiment experiment = two_layers_experiment(speeds, latency);
      const auto step_ms = [&](SplitMode split, double mbps, int devices) {
        options.split = split;
        experiment.distribution.options = options;
        return study.predict(with_devices(with_bandwidth(experiment, mbps), devices)).step.step_ms;
      };
      const int devices = static_cast<int>(speeds.size());
      double least_ms = 1e9;
      for (const double mbps : many_bandwidths()) {
        const double ms = step_ms(SplitMode::kAuto, mbps, devices);
        const QString where = QString("%1 ms at %2 Mb/s, after %3").arg(ms).arg(mbps).arg(least_ms);
        QVERIFY2(ms <= 1.015 * least_ms, qPrintable(where));
        QVERIFY2(ms <= step_ms(SplitMode::kKernels, mbps, devices) + 1e-9, qPrintable(where));
        QVERIFY2(ms <= step_ms(SplitMode::kBatch, mbps, devices) + 1e-9, qPrintable(where));
        QVERIFY2(ms <= step_ms(SplitMode::kAuto, mbps, 1) + 1e-9, qPrintable(where));
        least_ms = std::min(least_ms, ms);
      }
    }
  }

  // Where links are so slow that all work stays on the master, nothing is gained, though nothing is
  // lost either; the numbers of verdict and curve agree.
  void withSplitAutoTheBreakEvenIsWhereDevicesGain() {
    const PredictionStudy study({two_layers()});
    const Experiment experiment = two_layers_experiment({1.0, 1.0});
    const BreakEven even = study.break_even(experiment);
    QCOMPARE(even.kind, BreakEven::Kind::kAt);
    for (const CurvePoint& point : study.over_bandwidth(experiment, many_bandwidths())) {
      QVERIFY(*point.prediction.speedup > 0.995);
      if (point.x > even.bandwidth_mbps) {
        QVERIFY(point.prediction.distributed());
        QVERIFY(*point.prediction.speedup >= 1.005);
      } else {
        QVERIFY2(*point.prediction.speedup < 1.02, qPrintable(QString::number(point.x)));
      }
    }
    const std::string from = break_even_text(even);
    const Experiment slow = with_bandwidth(experiment, 1.0);
    QVERIFY(!study.predict(slow).distributed());
    QCOMPARE(
        verdict_of(study, slow),
        "Nothing is gained below " + from +
            ": at 1 Mb/s all work stays on A, for moving any would take longer than it saves.");
    QVERIFY(verdict_of(study, experiment).ends_with("Below " + from + " nothing is gained."));

    // The fastest is not the master, which cannot give all away.
    const Experiment other = two_layers_experiment({0.5, 1.0});
    const BreakEven later = study.break_even(other);
    QCOMPARE(later.kind, BreakEven::Kind::kAt);
    const std::string text = verdict_of(study, with_bandwidth(other, 1.0));
    QVERIFY2(text.ends_with("; a step takes 1.98 times as long as on B alone."), text.c_str());
    QVERIFY(verdict_of(study, other).ends_with("Below " + break_even_text(later) + " it is not."));
    // Links that never pay.
    const Experiment far = two_layers_experiment({1.0, 1.0}, 1000.0);
    QCOMPARE(study.break_even(far).kind, BreakEven::Kind::kNever);
    QVERIFY(verdict_of(study, far).starts_with("Nothing is gained at any bandwidth: "));
  }

  // The default link is nobody's: no bandwidth of it is to blame, and none helps.
  void linksOfTheirOwnHaveNoBreakEven() {
    const PredictionStudy study({one_layer()});
    Experiment experiment = one_layer_experiment();
    LinkSettings own;
    own.bandwidth_mbps = 20.0;
    experiment.devices[1].link = own;
    const BreakEven even = study.break_even(experiment);
    QCOMPARE(even.kind, BreakEven::Kind::kUnasked);
    QVERIFY(break_even_text(even).starts_with("none: every device has a link of its own"));
    const std::string text = verdict_of(study, experiment);
    QVERIFY2(text.starts_with("Not worth it: over the devices' own links communication takes "),
             text.c_str());
    experiment.devices[1].link->bandwidth_mbps = std::nullopt;
    QVERIFY(verdict_of(study, experiment)
                .starts_with("Worth it: over the devices' own links a step is "));
    Experiment more = one_layer_experiment(3);
    more.devices[1].link = own;  // the third uses the default
    QVERIFY(study.break_even(more).kind != BreakEven::Kind::kUnasked);
  }

  // A curve that falls below 1 again has its break-even above that.
  void theBreakEvenIsTheLastOne() {
    using Kind = BreakEven::Kind;
    const auto hump = [](std::optional<double> mbps) {
      return !mbps || *mbps >= 317.0 || (*mbps > 50.0 && *mbps < 120.0);
    };
    QCOMPARE(break_even_of(hump).kind, Kind::kAt);
    QCOMPARE(break_even_of(hump).bandwidth_mbps, 317.0);
    // Pays where nothing is distributed, falls, and pays again.
    const auto dip = [](std::optional<double> mbps) {
      return !mbps || *mbps <= 100.0 || *mbps >= 350.0;
    };
    QCOMPARE(break_even_of(dip).bandwidth_mbps, 350.0);
    QCOMPARE(break_even_of([](auto) { return true; }).kind, Kind::kAlways);
    QCOMPARE(break_even_of([](auto mbps) { return mbps.has_value(); }).kind, Kind::kNever);
    QCOMPARE(break_even_of([](auto mbps) { return !mbps; }).kind, Kind::kAt);
    QCOMPARE(break_even_of([](auto mbps) { return !mbps || *mbps > 0.01; }).kind, Kind::kAt);
  }
};

QTEST_GUILESS_MAIN(BreakEvenTest)
#include "break_even_test.moc"
