// Shares that follow measured times: they move when it pays, soon, and not for noise.
#include "engine/cluster/rebalance.h"

#include <QTest>
#include <algorithm>
#include <cmath>
#include <numeric>

#include "engine/base/random.h"

using namespace convoy;

namespace {

// Devices whose real cost a test changes as it likes.
struct Devices {
  std::vector<ShareCost> calibrated;
  std::vector<double> slower;  // by this factor than calibrated
  double noise = 0.0;          // standard deviation, relative

  explicit Devices(std::vector<ShareCost> costs)
      : calibrated(std::move(costs)), slower(calibrated.size(), 1.0) {}

  std::vector<double> step(const std::vector<int>& counts, Random& random) const {
    std::vector<double> ms(counts.size());
    for (std::size_t i = 0; i < counts.size(); ++i)
      if (counts[i] > 0)
        ms[i] = calibrated[i].ms(counts[i]) * slower[i] * (1.0 + noise * random.normal());
    return ms;
  }
  double slowest_ms(const std::vector<int>& counts) const {
    double ms = 0.0;
    for (std::size_t i = 0; i < counts.size(); ++i)
      if (counts[i] > 0) ms = std::max(ms, calibrated[i].ms(counts[i]) * slower[i]);
    return ms;
  }
};

int sum(const std::vector<int>& counts) {
  return std::accumulate(counts.begin(), counts.end(), 0);
}

std::vector<bool> all_of(std::size_t devices) {
  return std::vector<bool>(devices, true);
}

}  // namespace

class RebalanceTest : public QObject {
  Q_OBJECT
 private slots:
  void equalDevicesNeverFlap_data() {
    QTest::addColumn<int>("count");
    QTest::addColumn<int>("seed");
    for (const int count : {2, 3, 4, 8})
      for (int seed = 1; seed <= 10; ++seed)
        QTest::addRow("%d devices, seed %d", count, seed) << count << seed;
  }
  void equalDevicesNeverFlap() {
    QFETCH(int, count);
    QFETCH(int, seed);
    Devices devices(std::vector<ShareCost>(std::size_t(count), {0.5, 0.1}));
    devices.noise = 0.03;
    Random random(static_cast<std::uint64_t>(seed));
    const Counts counts{split_by_cost(480, devices.calibrated)};
    Rebalancer rebalancer(counts, {devices.calibrated}, all_of(std::size_t(count)));
    for (int step = 0; step < 1000; ++step)
      QVERIFY2(!rebalancer.add_step({devices.step(counts[0], random)}),
               qPrintable(QString("moved in step %1").arg(step)));
  }

  void aSlowedDeviceLosesKernelsWithinAFewSteps_data() {
    QTest::addColumn<double>("slower");
    QTest::addColumn<int>("within");
    QTest::newRow("a tenth") << 1.12 << 8;
    QTest::newRow("a quarter") << 1.25 << 4;
    QTest::newRow("twice") << 2.0 << 4;
    QTest::newRow("stopped but for a breath") << 500.0 << 4;
    QTest::newRow("faster") << 0.5 << 4;
  }
  void aSlowedDeviceLosesKernelsWithinAFewSteps() {
    QFETCH(double, slower);
    QFETCH(int, within);
    Devices devices({{0.0, 0.1}, {0.0, 0.2}, {0.0, 0.1}});
    devices.noise = 0.01;
    Random random(7);
    Counts counts{split_by_cost(500, devices.calibrated)};
    Rebalancer rebalancer(counts, {devices.calibrated}, all_of(3));
    for (int step = 0; step < 20; ++step)
      QVERIFY(!rebalancer.add_step({devices.step(counts[0], random)}));

    devices.slower[1] = slower;
    const std::vector<int> before = counts[0];
    for (int step = 1;; ++step) {
      QVERIFY2(step <= within, "the shares stay as they are");
      if (const auto moved = rebalancer.add_step({devices.step(counts[0], random)})) {
        counts = *moved;
        break;
      }
    }
    QCOMPARE(sum(counts[0]), 500);
    QVERIFY(slower > 1.0 ? counts[0][1] < before[1] : counts[0][1] > before[1]);
    QVERIFY(devices.slowest_ms(counts[0]) < 0.95 * devices.slowest_ms(before));
    // It stays there: what was moved is near the best.
    int more = 0;
    for (int step = 0; step < 100; ++step)
      if (const auto moved = rebalancer.add_step({devices.step(counts[0], random)})) {
        counts = *moved;
        ++more;
      }
    QVERIFY2(more <= 1, qPrintable(QString("moved %1 times more").arg(more)));
    std::vector<ShareCost> real = devices.calibrated;
    real[1].ms_per_kernel *= slower;
    QVERIFY(devices.slowest_ms(counts[0]) <= 1.05 * devices.slowest_ms(split_by_cost(500, real)));
  }

  void oneSlowStepMovesNothing() {
    Devices devices({{0.0, 0.1}, {0.0, 0.1}});
    Random random(3);
    const Counts counts{{50, 50}};
    Rebalancer rebalancer(counts, {devices.calibrated}, all_of(2));
    for (int step = 0; step < 60; ++step) {
      devices.slower[1] = step % 10 < 2 ? 5.0 : 1.0;  // two of ten
      QVERIFY(!rebalancer.add_step({devices.step(counts[0], random)}));
    }
  }

  void aBusyComputerIsNoReason_data() {
    QTest::addColumn<int>("seed");
    for (int seed = 1; seed <= 10; ++seed) QTest::addRow("seed %d", seed) << seed;
  }
  void aBusyComputerIsNoReason() {
    // Every step takes one to two times as long as calibrated, on either device by chance.
    QFETCH(int, seed);
    Devices devices({{0.0, 0.1}, {0.0, 0.1}});
    Random random(static_cast<std::uint64_t>(seed));
    Counts counts{{50, 50}};
    Rebalancer rebalancer(counts, {devices.calibrated}, all_of(2));
    int moves = 0;
    for (int step = 0; step < 300; ++step) {
      for (double& slower : devices.slower) slower = random.uniform(1.0, 2.0);
      if (const auto moved = rebalancer.add_step({devices.step(counts[0], random)})) {
        counts = *moved;
        ++moves;
      }
    }
    QVERIFY2(moves <= 15, qPrintable(QString("moved %1 times").arg(moves)));
  }

  void movesAtMostEveryThirdStep() {
    // A device whose time never follows its share: it waits for something else.
    Devices devices({{0.0, 0.1}, {0.0, 0.1}});
    Random random(3);
    Counts counts{{50, 50}};
    Rebalancer rebalancer(counts, {devices.calibrated}, all_of(2));
    int last = -10, moves = 0;
    for (int step = 0; step < 60; ++step) {
      std::vector<double> ms = devices.step(counts[0], random);
      ms[1] = 1.5 * ms[0];
      if (const auto moved = rebalancer.add_step({ms})) {
        QVERIFY2(step - last >= 3, qPrintable(QString("%1 after %2").arg(step).arg(last)));
        counts = *moved;
        last = step;
        ++moves;
      }
    }
    QVERIFY(moves > 0);
  }

  void onlyTheLayerThatGainsChanges() {
    const std::vector<ShareCost> costs{{0.0, 0.1}, {0.0, 0.1}};
    const Counts counts{{30, 30}, {50, 50}};
    Rebalancer rebalancer(counts, {costs, costs}, all_of(2));
    for (int step = 0; step < 10; ++step)
      if (const auto moved = rebalancer.add_step({{3.0, 3.0}, {5.0, 15.0}})) {
        QCOMPARE((*moved)[0], counts[0]);
        QCOMPARE((*moved)[1], (std::vector<int>{75, 25}));
        return;
      }
    QFAIL("the shares stay as they are");
  }

  // What links take is not computing: shares that count it are not undone.
  void sharesThatCountLinksStay() {
    const std::vector<std::vector<ShareCost>> costs = {{{0.0, 1.0}, {0.0, 1.0}}};
    for (const double link_ms : {0.0, 34.0}) {
      Rebalancer rebalancer({{117, 83}}, costs, {true, true}, {}, {{{}, {link_ms, 0.0}}});
      std::optional<Counts> moved;
      for (int step = 0; step < 20 && !moved; ++step) moved = rebalancer.add_step({{117.0, 83.0}});
      if (link_ms > 0.0)
        QVERIFY(!moved);
      else
        QCOMPARE(*moved, (Counts{{100, 100}}));
    }
  }

  void whoIsAwayGetsNothing() {
    const std::vector<ShareCost> costs{{0.0, 0.1}, {0.0, 0.1}, {0.0, 0.1}};
    const Counts counts{{50, 0, 50}};
    Rebalancer rebalancer(counts, {costs}, {true, false, true});
    for (int step = 0; step < 10; ++step)
      if (const auto moved = rebalancer.add_step({{5.0, 0.0, 15.0}})) {
        QCOMPARE((*moved)[0], (std::vector<int>{75, 0, 25}));
        return;
      }
    QFAIL("the shares stay as they are");
  }
};

QTEST_GUILESS_MAIN(RebalanceTest)
#include "rebalance_test.moc"
