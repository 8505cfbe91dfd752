// When a layer's pictures are worked off in chunks.
#include "engine/cluster/chunks.h"

#include <QTest>

#include "../device/cpu_id.h"
#include "engine/cluster/cluster.h"
#include "engine/cluster/quarantine.h"
#include "engine/device/discovery.h"
#include "engine/device/forwarding_device.h"

using namespace convoy;

namespace {

DistributionOptions overlapping() {
  DistributionOptions options;
  options.overlap = true;
  return options;
}

// Two equal devices; the worker computes for 100 ms in one piece, and 4 ms longer for each cut
// forward, 2 backward.
ClusterPlan plan_of(ChunkCuts cuts, int batch = 256) {
  LayerPlan layer;
  layer.problem = {batch, 50, 14, 14, 200, 5, 5, {}};
  layer.measured_counts = {100, 100};
  layer.measured.resize(2);
  for (ConvMeasurement& device : layer.measured) {
    device.ms = {40.0, 30.0, 30.0};
    device.algorithm = {"fft", "fft", "fft"};
  }
  layer.cost.assign(2, {0.0, 1.0});
  layer.cuts.assign(2, {});
  layer.cut_ms = {std::nullopt, CutCost{4.0, 2.0}};
  layer.set_counts({100, 100});
  ClusterPlan plan;
  plan.layers.push_back(with_cuts(layer, 1, cuts));
  return plan;
}

std::vector<LinkSettings> links(std::optional<double> mbps) {
  return {LinkSettings{}, LinkSettings{mbps, 0.0}};
}

// Counts the layers that it is measured on.
class CountingDevice : public ForwardingDevice {
 public:
  CountingDevice(std::unique_ptr<Device> device, int& made)
      : ForwardingDevice(std::move(device)), made_(made) {}
  std::unique_ptr<DeviceConv> make_conv(const ConvProblem& problem,
                                        const DeviceConvOptions& options) override {
    ++made_;
    return ForwardingDevice::make_conv(problem, options);
  }

 private:
  int& made_;
};

}  // namespace

class ChunksTest : public QObject {
  Q_OBJECT
 private slots:
  void everyCutCosts() {
    const LayerPlan cut = plan_of({0b111, 0b010}).layers[0];
    QCOMPARE(cut.cuts[1], (ChunkCuts{0b111, 0b010}));
    QCOMPARE(cut.cost[0].ms(100), 100.0);
    QCOMPARE(cut.cost[1].ms(100), 114.0);
    QCOMPARE(cut.measured[1].ms, (std::array<double, 3>{52.0, 32.0, 30.0}));
    const LayerPlan back = with_cuts(cut, 1, {});
    QVERIFY(!back.cuts[1].any());
    QVERIFY(std::abs(back.cost[1].ms(100) - 100.0) < 1e-9);
  }

  // Of a pass of 64 ms and 4 more a cut, over a link on which its input takes as long as 64 ms, and
  // its output no time: what is received before the first chunk is computed, then the chunks.
  void chunksTakeTheirPicturesAndTheirCut() {
    LayerWork layer;
    PartWork part;
    part.problem = {128, 16, 14, 14, 8, 5, 5, {}};
    part.ms = {64.0, 0.0, 0.0};
    part.cut_ms = CutCost{4.0, 0.0};
    DistributionOptions options = overlapping();
    options.resident_kernels = true;
    const double input_bits = 8.0 * 4 * 128 * 16 * 14 * 14, output_bits = 8.0 * 4 * 128 * 8 * 100;
    const LinkSettings link{input_bits / 64e-3 / 1e6, 0.0};
    const double output_ms = 64.0 * output_bits / input_bits;
    const auto forward_ms = [&](Cuts cuts) {
      return exchange_times(layer, with_cuts(part, {cuts, kNoCuts}), &link, options).forward_ms;
    };
    QVERIFY(std::abs(forward_ms(kNoCuts) - (64 + 64 + output_ms)) < 1e-6);
    // 16 ms until a quarter is here; then it is computed for (64 - 4) / 4 + 4 ms, and the others
    // come sooner than they are computed.
    QVERIFY(std::abs(forward_ms(0b111) - (16 + 4 * 19 + output_ms / 4)) < 1e-6);
    // The second chunk is here after 64 ms, the first computed long before.
    QVERIFY(std::abs(forward_ms(0b001) - (64 + 4 + 45 + output_ms * 3 / 4)) < 1e-6);
  }

  // A step moves 50 x 14 x 14 x 256 floats of input and as many of its gradient, 100 x 10 x 10 x
  // 256 of output and as many of its gradient: about 46 MB, so 3.7 s at 100 Mb/s and 4 ms at 100
  // Gb/s.
  void cutsPayOnSlowLinks_data() {
    QTest::addColumn<Cuts>("was");
    QTest::addColumn<double>("mbps");
    QTest::addColumn<bool>("cut");
    QTest::newRow("unlimited, whole") << kNoCuts << 0.0 << false;
    QTest::newRow("unlimited, in chunks") << Cuts{0b111} << 0.0 << false;
    QTest::newRow("100 Gb/s") << Cuts{0b111} << 100000.0 << false;
    QTest::newRow("3 Gb/s, whole") << kNoCuts << 3000.0 << true;
    QTest::newRow("3 Gb/s, in chunks") << Cuts{0b111} << 3000.0 << true;
  }
  void cutsPayOnSlowLinks() {
    QFETCH(Cuts, was);
    QFETCH(double, mbps);
    QFETCH(bool, cut);
    std::vector<std::string> notes;
    const auto over = links(mbps > 0.0 ? std::optional(mbps) : std::nullopt);
    const LayerPlan before = plan_of({was, was}).layers[0];
    const LayerPlan after =
        with_best_cuts(plan_of({was, was}), over, overlapping(), &notes).layers[0];
    QCOMPARE(after.cuts[1].any(), cut);
    QCOMPARE(notes.empty(), after.cuts == before.cuts);
    QVERIFY(layer_ms(after, over, overlapping()) <= layer_ms(before, over, overlapping()));
    if (notes.empty()) return;
    const char* way = cut ? " chunks forward" : "in one piece forward and in one piece backward";
    QVERIFY2(notes[0].find(way) != std::string::npos, notes[0].c_str());
  }

  // None of all ways to cut is better, but by what a calibration cannot tell.
  void theBestOfAllIsTaken() {
    for (const double mbps : {200.0, 1000.0, 3000.0, 10000.0, 30000.0}) {
      std::vector<std::string> notes;
      const LayerPlan best =
          with_best_cuts(plan_of({}), links(mbps), overlapping(), &notes).layers[0];
      const double best_ms = layer_ms(best, links(mbps), overlapping());
      for (Cuts forward = 0; forward < 8; ++forward)
        for (Cuts backward = 0; backward < 8; ++backward)
          QVERIFY(best_ms * (1.0 - kCalibrationNoise) <=
                  layer_ms(plan_of({forward, backward}).layers[0], links(mbps), overlapping()));
    }
  }

  void littleGainsChangeNothing() {
    int little = 0;
    for (double mbps = 1e5; mbps > 3e3; mbps *= 0.98) {
      const LayerWork work = planned_work(plan_of({}))[0];
      const PartWork& part = work.parts[1];
      const LinkSettings link{mbps, 0.0};
      const PartWork best = with_best_cuts(work, part, link, overlapping(), 0.0);
      const PartWork worth_it = with_best_cuts(work, part, link, overlapping(), kCalibrationNoise);
      const double gain = 1.0 - exchange_times(work, best, &link, overlapping()).forward_ms /
                                    exchange_times(work, part, &link, overlapping()).forward_ms;
      QCOMPARE(worth_it.cuts.forward != kNoCuts, gain > kCalibrationNoise);
      little += gain > 0.0 && gain <= kCalibrationNoise;
    }
    QVERIFY(little > 0);
  }

  void onlyWithOverlapAndWhereTheCostIsKnown() {
    std::vector<std::string> notes;
    const ClusterPlan slow = plan_of({});
    QCOMPARE(with_best_cuts(slow, links(10.0), {}, &notes).layers[0].cuts, slow.layers[0].cuts);
    ClusterPlan whole = plan_of({});
    whole.layers[0].cut_ms[1].reset();
    QVERIFY(!with_best_cuts(whole, links(10.0), overlapping(), &notes).layers[0].cuts[1].any());
    ClusterPlan unknown = plan_of({});
    unknown.layers[0].cut_ms.clear();
    QVERIFY(!with_best_cuts(unknown, links(10.0), overlapping(), &notes).layers[0].cuts[1].any());
    QVERIFY(notes.empty());
    with_best_cuts(slow, links(10.0), overlapping(), &notes);
    QCOMPARE(notes.size(), std::size_t{1});
  }

  void aDeviceTellsWhatItsCutsCost() {
    std::vector<ClusterMember> members;
    for (int i = 0; i < 2; ++i)
      members.push_back({open_device(cpu_id(0)), LinkSettings{}, 1.0, ""});
    Cluster cluster(std::move(members), nullptr);
    LayerPlan layer;
    layer.problem = {64, 2, 8, 8, 6, 3, 3, {}};
    layer.set_counts({3, 3});
    std::vector<LayerPart> parts = layer.parts(overlapping());
    QVERIFY(!parts[0].cuts.any());  // the master's own part stays whole
    QCOMPARE(parts[1].cuts, (ChunkCuts{0b1, 0b1}));
    parts[0].problem.out_channels = 0;
    QVERIFY(!cluster.measure(parts)[1].cut_ms.has_value() ||
            cluster.measure(parts)[1].cut_ms->forward >= 0.0);
    parts[1].cuts = {};
    const ConvMeasurement whole = cluster.measure(parts)[1];
    QVERIFY(whole.total_ms() > 0.0);
    QVERIFY(!whole.cut_ms);
  }

  // On the virtual clock one measurement serves equal devices, but only for the same work.
  void wholePartsDoNotStandForChunks() {
    std::array<int, 3> made{};
    std::vector<ClusterMember> members;
    for (int& count : made)
      members.push_back({std::make_unique<CountingDevice>(open_device(cpu_id(0)), count),
                         LinkSettings{}, 1.0, "the same"});
    Cluster cluster(std::move(members), nullptr, ClockMode::kVirtual);
    LayerPlan layer;
    layer.problem = {64, 2, 8, 8, 6, 3, 3, {}};
    layer.set_counts({2, 2, 2});
    cluster.measure(layer.parts(overlapping()));
    QCOMPARE(made, (std::array<int, 3>{1, 1, 0}));
    made = {};
    layer.cuts.assign(3, {});
    cluster.measure(layer.parts(overlapping()));
    QCOMPARE(made, (std::array<int, 3>{1, 0, 0}));
  }
};

QTEST_GUILESS_MAIN(ChunksTest)
#include "chunks_test.moc"
