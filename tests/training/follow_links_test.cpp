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
};

QTEST_GUILESS_MAIN(FollowLinksTest)
#include "follow_links_test.moc"
