// What becomes of a plan when links are counted, and when they change.
#include "engine/cluster/link_plan.h"

#include <QTest>

#include "engine/cluster/chunks.h"
#include "engine/cluster/quarantine.h"

using namespace convoy;

namespace {

DistributionOptions automatic() {
  DistributionOptions options;
  options.split = SplitMode::kAuto;
  return options;
}

// Equal devices that take 200 ms for all of 50 -> 200 channels at batch 256, by kernels; measured
// by batch, too.
LayerPlan layer_of(std::size_t devices, SplitMode split = SplitMode::kKernels) {
  LayerPlan layer;
  layer.split = split;
  layer.problem = {256, 50, 14, 14, 200, 5, 5, {}};
  const int each = layer.whole() / static_cast<int>(devices);
  layer.measured_counts.assign(devices, each);
  layer.measured.resize(devices);
  const double ms = 200.0 / layer.whole() * each;
  for (ConvMeasurement& device : layer.measured) {
    device.ms = {0.4 * ms, 0.3 * ms, 0.3 * ms};
    device.algorithm = {"fft", "fft", "fft"};
  }
  layer.cost.assign(devices, {0.0, 200.0 / layer.whole()});
  layer.cuts.assign(devices, {});
  layer.set_counts(std::vector<int>(devices, each));
  return layer;
}

ClusterPlan plan_of(std::size_t devices, bool both_ways = false) {
  ClusterPlan plan;
  plan.layers.push_back(layer_of(devices));
  if (both_ways)
    plan.layers[0].other_split =
        std::make_shared<const LayerPlan>(layer_of(devices, SplitMode::kBatch));
  return plan;
}

std::vector<LinkSettings> links(std::size_t devices, std::optional<double> mbps) {
  return std::vector<LinkSettings>(devices, LinkSettings{mbps, 0.0});
}

LayerPlan over(ClusterPlan plan, std::optional<double> mbps, const DistributionOptions& options,
               Splits splits = Splits::kFollow) {
  const std::size_t devices = plan.layers[0].cost.size();
  std::vector<std::string> notes;
  return with_links(std::move(plan), links(devices, mbps), options, SharePolicy(),
                    std::vector<bool>(devices, true), splits, notes)
      .layers[0];
}

}  // namespace

class LinkPlanTest : public QObject {
  Q_OBJECT
 private slots:
  // At 10 Gb/s the worker's transfers take 2 * (8.03 ms of input, 0.4 of weights, 8.19 of output) =
  // 33.24 ms with 100 kernels. Forward the master then waits for a while, of 45.2 + 67.8 ms with
  // its 113 kernels and 50.3 + 67.7 of the worker with 87; one kernel more or less would take
  // longer.
  void sharesCountWhatTheLinksTake() {
    QCOMPARE(over(plan_of(2), 1e4, {}).counts(), (std::vector{100, 100}));  // as the paper has it
    LayerPlan layer = over(plan_of(2), 1e4, automatic());
    QCOMPARE(layer.counts(), (std::vector{113, 87}));
    QVERIFY(layer_ms(layer, links(2, 1e4), automatic()) <
            layer_ms(plan_of(2).layers[0], links(2, 1e4), automatic()) - 13.0);
    const double best_ms = layer_ms(layer, links(2, 1e4), automatic());
    for (const int master : {112, 114}) {
      layer.set_counts({master, 200 - master});
      QVERIFY(layer_ms(layer, links(2, 1e4), automatic()) > best_ms);
    }
    QCOMPARE(over(plan_of(2), std::nullopt, automatic()).counts(), (std::vector{100, 100}));
    QCOMPARE(over(plan_of(2), 1e6, automatic()).counts(), (std::vector{100, 100}));
  }

  // Beyond links that take longer than all the work nothing is gained, however many there are; who
  // is left out stays so when links are looked at again, and comes back when they are fast.
  void slowLinksLeaveDevicesOut() {
    for (const std::size_t devices : {2, 3, 4}) {
      ClusterPlan plan = plan_of(devices);
      std::vector<int> alone(devices);
      alone[0] = 200;
      for (int again = 0; again < 2; ++again) {
        plan.layers[0] = over(plan, 100.0, automatic());
        QCOMPARE(plan.layers[0].counts(), alone);
      }
      const std::vector<int> all = over(plan, std::nullopt, automatic()).counts();
      QCOMPARE(all, split_by_cost(200, layer_of(devices).cost));
    }
  }

  // Shares that are made anew with nothing changed are the same.
  void replanningKeepsTheShares() {
    for (const double mbps : {100.0, 1e3, 5e3, 1e4, 1e5}) {
      ClusterPlan plan = plan_of(3);
      plan.layers[0].cost[1] = {10.0, 2.0};
      plan.layers[0] = over(plan, mbps, automatic());
      const ClusterPlan again = replan(plan, SharePolicy(), {true, true, true});
      QCOMPARE(again.layers[0].counts(), plan.layers[0].counts());
    }
  }

  // Each way with the shares that it gets there: never later than one device alone, and never than
  // either way.
  void theSplitIsChosenWithItsShares() {
    const double alone_ms = 200.0;
    double last_ms = 1e9;
    bool batch = false;
    for (double mbps = 10.0; mbps < 2e5; mbps *= 1.3) {
      const LayerPlan chosen = over(plan_of(4, true), mbps, automatic());
      const LayerPlan by_kernels = over(plan_of(4), mbps, automatic());
      ClusterPlan other;
      other.layers.push_back(layer_of(4, SplitMode::kBatch));
      const LayerPlan by_batch = over(other, mbps, automatic());
      const auto ms = [&](const LayerPlan& layer) {
        return layer_ms(layer, links(4, mbps), automatic());
      };
      QVERIFY(ms(chosen) <= std::min({ms(by_kernels), ms(by_batch), alone_ms}) + 1e-9);
      QVERIFY2(ms(chosen) <= last_ms * 1.005, qPrintable(QString::number(mbps)));
      last_ms = ms(chosen);
      batch = batch || (chosen.split == SplitMode::kBatch && chosen.counts()[0] < chosen.whole());
    }
    QVERIFY(batch);
  }

  // A plan that has been split one way can be split the other way later, and back.
  void splitsFollowLinks() {
    DistributionOptions options = automatic();
    options.resident_kernels = true;
    ClusterPlan plan = plan_of(2, true);
    // 20 MB of input there and back, or half of it and 1 MB of weights for each.
    plan.layers[0].problem.in_channels = 300;
    LayerPlan other = *plan.layers[0].other_split;
    other.problem.in_channels = 300;
    plan.layers[0].other_split = std::make_shared<const LayerPlan>(other);
    const auto follow = [&](std::optional<double> mbps, Splits splits) {
      std::vector<std::string> notes;
      plan = with_links(plan, links(2, mbps), options, SharePolicy(), {true, true}, splits, notes);
      return notes;
    };
    QCOMPARE(follow(std::nullopt, Splits::kChoose).size(), std::size_t{1});
    QCOMPARE(plan.layers[0].split, SplitMode::kKernels);
    QVERIFY(follow(1e4, Splits::kKeep).empty());
    QCOMPARE(plan.layers[0].split, SplitMode::kKernels);
    const auto notes = follow(1e4, Splits::kFollow);
    QCOMPARE(plan.layers[0].split, SplitMode::kBatch);
    QCOMPARE(notes.size(), std::size_t{1});
    QVERIFY2(notes[0].starts_with("Layer 1 is split by batch: estimated "), notes[0].c_str());
    QVERIFY(follow(1e4, Splits::kFollow).empty());
    QCOMPARE(plan.layers[0].other_split->split, SplitMode::kKernels);
    QVERIFY(!plan.layers[0].other_split->other_split);
  }

  void oneNoteTellsOfAllLayers() {
    ClusterPlan plan = plan_of(2, true);
    plan.layers.push_back(plan.layers[0]);
    std::vector<std::string> notes;
    with_links(plan, links(2, std::nullopt), automatic(), SharePolicy(), {true, true},
               Splits::kChoose, notes);
    QCOMPARE(notes.size(), std::size_t{1});
    QVERIFY2(notes[0].starts_with("Layer 1 is split by kernels: estimated ") &&
                 notes[0].find(". Layer 2 is split by kernels: estimated ") != std::string::npos,
             notes[0].c_str());
  }

  // Shares that were given stay; the way to split is chosen for them.
  void givenSharesStay() {
    const SharePolicy policy{false, {0.25, 0.75}};
    std::vector<std::string> notes;
    const LayerPlan layer = with_links(plan_of(2, true), links(2, 10.0), automatic(), policy,
                                       {true, true}, Splits::kChoose, notes)
                                .layers[0];
    QCOMPARE(layer.counts()[0], layer.whole() / 4);
    QCOMPARE(layer.counts()[1], layer.whole() * 3 / 4);
  }
};

QTEST_APPLESS_MAIN(LinkPlanTest)
#include "link_plan_test.moc"
