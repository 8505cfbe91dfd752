// A link's other settings during a training: layers are worked off as that pays now.
#include <QTest>

#include "training_bench.h"

using namespace convoy;

class FollowLinksTest : public QObject {
  Q_OBJECT
 private slots:
  void chunksThatDoNotPayAreGivenUp() {
    DistributionOptions options;
    options.overlap = true;
    const Outcome expected = undisturbed(2, options);
    Bench bench(2, options);
    for (LayerPlan& layer : bench.first_plan.layers) {
      for (ConvMeasurement& measured : layer.measured) measured.ms = {1.0, 1.0, 1.0};
      layer.chunk_factor = {1.0, 1.5};
      layer.cost = {{0.0, 1.0}, {0.0, 1.5}};
    }
    bench.begin();
    std::vector<double> losses{bench.step()};
    QVERIFY(bench.trainer->plan().layers[0].in_chunks);
    bench.trainer->follow_links(2);
    for (const LayerPlan& layer : bench.trainer->plan().layers) QVERIFY(!layer.in_chunks);
    QCOMPARE(bench.events.messages.size(), std::size_t{2});
    bench.trainer->follow_links(2);  // nothing has changed since
    QCOMPARE(bench.events.messages.size(), std::size_t{2});
    while (bench.steps < kSteps) losses.push_back(bench.step());
    QCOMPARE(losses, expected.losses);
  }
};

QTEST_GUILESS_MAIN(FollowLinksTest)
#include "follow_links_test.moc"
