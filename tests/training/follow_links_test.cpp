// A link's other settings during a training: layers are worked off as that pays now.
#include <QTest>

#include "engine/cluster/chunks.h"
#include "training_bench.h"

using namespace convoy;

class FollowLinksTest : public QObject {
  Q_OBJECT
 private slots:
  void chunksThatDoNotPayAreGivenUp() {
    DistributionOptions options;
    options.overlap = true;
    Bench expected(2, options, {}, kSteps, 64), bench(2, options, {}, kSteps, 64);
    expected.begin();
    for (LayerPlan& layer : bench.first_plan.layers) {
      for (ConvMeasurement& measured : layer.measured) measured.ms = {1.0, 1.0, 1.0};
      layer.cuts.assign(2, {});
      layer.cut_ms = {std::nullopt, CutCost{1.0, 1.0}};
      layer.cost = {{0.0, 1.0}, {0.0, 1.0}};
      layer = with_cuts(std::move(layer), 1, {0b1, 0b1});
    }
    bench.begin();
    std::vector<double> losses{bench.step()};
    QVERIFY(bench.trainer->plan().layers[0].cuts[1].any());
    bench.trainer->follow_links(2);
    for (const LayerPlan& layer : bench.trainer->plan().layers) QVERIFY(!layer.cuts[1].any());
    QCOMPARE(bench.events.messages.size(), std::size_t{2});
    bench.trainer->follow_links(2);  // nothing has changed since
    QCOMPARE(bench.events.messages.size(), std::size_t{2});
    while (bench.steps < kSteps) losses.push_back(bench.step());
    for (const double loss : losses) QCOMPARE(loss, expected.step());
  }

  // Layers are split anew as that pays, with the weights and velocities that devices keep. By batch
  // less travels, by kernels the devices compute a little faster.
  void splitsFollowLinks() {
    DistributionOptions options;
    options.resident_kernels = true;
    constexpr int kLength = 9;
    Bench expected(2, options, {}, kLength), bench(2, options, {}, kLength);
    expected.begin();
    bench.setup.experiment.distribution.options.split = SplitMode::kAuto;
    const std::vector<bool> all(2, true);
    for (LayerPlan& layer : bench.first_plan.layers) {
      for (ConvMeasurement& measured : layer.measured) measured.ms = {1.0, 1.0, 1.0};
      LayerPlan other = layer;
      layer.cost.assign(2, {0.0, 1e-3 / layer.whole()});
      other.split = SplitMode::kBatch;
      other.cost.assign(2, {0.0, 2e-3 / other.whole()});
      other.set_counts(share_out(other, bench.setup.policy, all));
      layer.other_split = std::make_shared<const LayerPlan>(other);
    }
    bench.begin();
    const auto split = [&] { return bench.trainer->plan().layers[0].split; };
    const auto shares_told = [&] { return bench.events.shares.size(); };
    std::vector<double> losses;
    for (int part = 0; part < 3; ++part) {
      for (int step = 0; step < kLength / 3; ++step) {
        QCOMPARE(split(), part == 1 ? SplitMode::kBatch : SplitMode::kKernels);
        losses.push_back(bench.step());
      }
      const std::optional<double> mbps = part == 0 ? std::optional(500.0) : std::nullopt;
      bench.cluster->set_link(1, {mbps, 0.0, Duplex::kFull});
      const std::size_t told = shares_told();
      bench.trainer->follow_links(bench.steps + 1);
      QCOMPARE(shares_told(), told + (part < 2 ? 1 : 0));
      bench.trainer->follow_links(bench.steps + 1);  // nothing has changed since
      QCOMPARE(shares_told(), told + (part < 2 ? 1 : 0));
    }
    for (const double loss : losses) {
      const double right = expected.step();
      QVERIFY2(std::abs(loss - right) < 1e-4 * right,
               qPrintable(QString("%1 in place of %2").arg(loss).arg(right)));
    }
  }

  // Before the first step there is nothing to fetch.
  void splitsMayChangeBeforeTheFirstStep() {
    DistributionOptions options;
    options.resident_kernels = true;
    Bench expected(2, options), bench(2, options);
    expected.begin();
    bench.setup.experiment.distribution.options.split = SplitMode::kAuto;
    for (LayerPlan& layer : bench.first_plan.layers) {
      for (ConvMeasurement& measured : layer.measured) measured.ms = {1.0, 1.0, 1.0};
      LayerPlan other = layer;
      other.split = SplitMode::kBatch;
      other.cost.assign(2, {0.0, 1e-6});
      other.set_counts(share_out(other, bench.setup.policy, {true, true}));
      layer.other_split = std::make_shared<const LayerPlan>(other);
    }
    bench.begin();
    bench.trainer->follow_links(1);
    QCOMPARE(bench.trainer->plan().layers[1].split, SplitMode::kBatch);
    for (int step = 0; step < kSteps; ++step) {
      const double right = expected.step();
      QVERIFY(std::abs(bench.step() - right) < 1e-4 * right);
    }
  }
};

QTEST_GUILESS_MAIN(FollowLinksTest)
#include "follow_links_test.moc"
