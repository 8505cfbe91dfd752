// Who gets how many kernels: pure arithmetic, checked against the exhaustive optimum.
#include <QTest>
#include <numeric>

#include "engine/base/random.h"
#include "engine/cluster/split.h"

using namespace convoy;

namespace {

int sum(const std::vector<int>& counts) {
  return std::accumulate(counts.begin(), counts.end(), 0);
}

double slowest(const std::vector<ShareCost>& costs, const std::vector<int>& counts) {
  double ms = 0.0;
  for (std::size_t i = 0; i < counts.size(); ++i)
    if (counts[i] > 0) ms = std::max(ms, costs[i].ms(counts[i]));
  return ms;
}

}  // namespace

class SplitTest : public QObject {
  Q_OBJECT
 private slots:
  void equalDevicesGetEqualShares() {
    const std::vector<ShareCost> costs(4, {1.0, 2.0});
    QCOMPARE(split_by_cost(1500, costs), (std::vector<int>{375, 375, 375, 375}));
    QCOMPARE(split_by_cost(10, costs), (std::vector<int>{3, 3, 2, 2}));
  }
  void halfTheSpeedGetsHalfTheKernels() {
    QCOMPARE(split_by_cost(300, {{0.0, 1.0}, {0.0, 2.0}}), (std::vector<int>{200, 100}));
  }
  void noiseDoesNotUnbalanceEqualDevices() {
    const auto split = [](const std::vector<double>& ms_per_kernel) {
      std::vector<ShareCost> costs;
      for (double ms : ms_per_kernel) costs.push_back({0.0, ms});
      return split_by_cost(100, without_noise(costs, 50));
    };
    QCOMPARE(split({1.0, 1.02}), (std::vector<int>{50, 50}));
    QCOMPARE(split({1.0, 1.1}), (std::vector<int>{52, 48}));
    // Two of a kind beside one half as fast; who comes first does not matter.
    QCOMPARE(split({2.0, 1.01, 1.0}), (std::vector<int>{20, 40, 40}));
    QCOMPARE(split({1.0, 2.0, 1.01}), (std::vector<int>{40, 20, 40}));
  }
  void noiseIsComparedAtTheShares() {
    // 30 and 31 ms at 20 kernels, where one starts with 10: not the same device.
    const auto kept = without_noise({{10.0, 1.0}, {0.0, 1.55}}, 20);
    QCOMPARE(kept[0].ms(20), 30.0);
    const auto mean = without_noise({{10.0, 1.0}, {0.0, 1.53}}, 20);
    QCOMPARE(mean[0].ms(20), mean[1].ms(20));
  }
  void fixedCostsCount() {
    // 10 + 1 k = 1 (60 - k) at k = 25.
    QCOMPARE(split_by_cost(60, {{10.0, 1.0}, {0.0, 1.0}}), (std::vector<int>{25, 35}));
  }
  void everyDeviceGetsAtLeastOne() {
    const auto counts = split_by_cost(20, {{0.0, 1.0}, {0.0, 15.0}});
    QCOMPARE(counts, (std::vector<int>{19, 1}));
  }
  void hopelesslySlowDeviceIsLeftOut() {
    const auto counts = split_by_cost(20, {{0.0, 1.0}, {0.0, 41.0}, {0.0, 1.0}});
    QCOMPARE(counts, (std::vector<int>{10, 0, 10}));
  }
  // Each of two would take 1000 ms for its first kernel where one does all in 200: neither counts
  // as help that makes the other one bearable.
  void severalHopelesslySlowDevicesAreLeftOut() {
    QCOMPARE(split_by_cost(200, {{0.0, 1.0}, {1000.0, 1.0}, {1000.0, 1.0}}),
             (std::vector<int>{200, 0, 0}));
  }
  void moreDevicesThanKernels() {
    const auto counts = split_by_cost(2, {{0.0, 3.0}, {0.0, 1.0}, {0.0, 2.0}});
    QCOMPARE(counts, (std::vector<int>{0, 1, 1}));
    QCOMPARE(split_by_cost(1, {{0.0, 1.0}, {0.0, 1.0}}), (std::vector<int>{1, 0}));
  }
  void noOtherSplitFinishesSooner() {
    Random random(20261121);
    for (int round = 0; round < 200; ++round) {
      const int kernels = 3 + static_cast<int>(random.below(20));
      std::vector<ShareCost> costs;
      for (int i = 0; i < 3; ++i)
        costs.push_back({random.uniform(0.0, 1.0), random.uniform(0.5, 2.0)});
      const auto counts = split_by_cost(kernels, costs);
      QCOMPARE(sum(counts), kernels);
      double best = 1e9;
      for (int a = 1; a <= kernels - 2; ++a)
        for (int b = 1; a + b <= kernels - 1; ++b)
          best = std::min(best, slowest(costs, {a, b, kernels - a - b}));
      QVERIFY2(slowest(costs, counts) <= best * (1 + 1e-12),
               qPrintable(QString("seed 20261121, round %1").arg(round)));
    }
  }

  void fractionsBecomeWholeKernels() {
    QCOMPARE(split_by_fractions(10, {0.3, 0.7}), (std::vector<int>{3, 7}));
    QCOMPARE(split_by_fractions(10, {1.0 / 3, 1.0 / 3, 1.0 / 3}), (std::vector<int>{4, 3, 3}));
    QCOMPARE(split_by_fractions(10, {1.0, 0.0}), (std::vector<int>{10, 0}));
    QCOMPARE(split_by_fractions(10, {0.999, 0.001}), (std::vector<int>{9, 1}));
    QCOMPARE(split_by_fractions(1, {0.5, 0.5}), (std::vector<int>{1, 0}));
    QCOMPARE(split_by_fractions(2, {0.0, 0.5, 0.5}), (std::vector<int>{0, 1, 1}));
  }
  void fractionsAlwaysSumUp() {
    Random random(7);
    for (int round = 0; round < 2000; ++round) {
      std::vector<double> fractions(1 + random.below(6));
      double total = 0.0;
      for (double& f : fractions) total += f = random.below(4) == 0 ? 0.0 : random.uniform();
      if (total == 0.0) continue;
      for (double& f : fractions) f /= total;
      const int kernels = 1 + static_cast<int>(random.below(300));
      const auto counts = split_by_fractions(kernels, fractions);
      QVERIFY2(sum(counts) == kernels, qPrintable(QString("seed 7, round %1").arg(round)));
      for (std::size_t i = 0; i < counts.size(); ++i) {
        QVERIFY(counts[i] >= 0);
        QVERIFY(fractions[i] > 0.0 || counts[i] == 0);
      }
    }
  }

  void costFromTwoMeasurements() {
    const ShareCost cost = share_cost(10, 30.0, 20, 50.0);
    QCOMPARE(cost.fixed_ms, 10.0);
    QCOMPARE(cost.ms_per_kernel, 2.0);
    // Noise that would make the device free, or all fixed cost, is not believed.
    QCOMPARE(share_cost(10, 50.0, 20, 50.0).ms_per_kernel, 2.5);
    QCOMPARE(share_cost(10, 10.0, 20, 50.0).ms_per_kernel, 2.5);
    QCOMPARE(share_cost(20, 40.0, 20, 50.0).ms_per_kernel, 2.5);
    // Nor a line between points as close as these.
    QCOMPARE(share_cost(100, 100.0, 110, 121.0).fixed_ms, 0.0);
    QCOMPARE(share_cost(100, 100.0, 110, 121.0).ms_per_kernel, 1.1);
  }
};

QTEST_APPLESS_MAIN(SplitTest)
#include "split_test.moc"
