// When a layer's pictures are worked off in chunks.
#include "engine/cluster/chunks.h"

#include <QTest>

#include "../device/cpu_id.h"
#include "engine/cluster/cluster.h"
#include "engine/device/discovery.h"
#include "engine/device/forwarding_device.h"

using namespace convoy;

namespace {

DistributionOptions overlapping() {
  DistributionOptions options;
  options.overlap = true;
  return options;
}

// Two equal devices; the worker computes for 100 ms in one piece, and for 120 ms in chunks.
ClusterPlan plan_of(bool in_chunks, int batch = 256, const char* algorithm = "fft") {
  LayerPlan layer;
  layer.problem = {batch, 50, 14, 14, 200, 5, 5, {}};
  layer.measured_counts = {100, 100};
  layer.measured.resize(2);
  for (ConvMeasurement& device : layer.measured) {
    device.ms = {40.0, 30.0, 30.0};
    device.algorithm = {algorithm, algorithm, algorithm};
  }
  layer.cost.assign(2, {0.0, 1.0});
  layer.chunk_factor = {1.0, 1.2};
  layer.in_chunks = false;
  layer.set_counts({100, 100});
  ClusterPlan plan;
  plan.layers.push_back(worked_off(layer, in_chunks));
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
  void computingTakesLongerInChunks() {
    const LayerPlan chunks = plan_of(true).layers[0];
    QVERIFY(chunks.in_chunks);
    QCOMPARE(chunks.cost[0].ms(100), 100.0);
    QCOMPARE(chunks.cost[1].ms(100), 120.0);
    QCOMPARE(chunks.measured[1].total_ms(), 120.0);
    const LayerPlan back = worked_off(chunks, false);
    QVERIFY(!back.in_chunks);
    QVERIFY(std::abs(back.cost[1].ms(100) - 100.0) < 1e-9);
  }

  // A step moves 50 x 14 x 14 x 256 floats of input and as many of its gradient, 100 x 10 x 10 x
  // 256 of output and as many of its gradient: about 46 MB, so 3.7 s at 100 Mb/s and 4 ms at 100
  // Gb/s.
  void chunksPayOnSlowLinks_data() {
    QTest::addColumn<bool>("was");
    QTest::addColumn<double>("mbps");
    QTest::addColumn<bool>("becomes");
    QTest::newRow("unlimited, whole") << false << 0.0 << false;
    QTest::newRow("unlimited, in chunks") << true << 0.0 << false;
    QTest::newRow("100 Gb/s") << true << 100000.0 << false;
    QTest::newRow("3 Gb/s, whole") << false << 3000.0 << true;
    QTest::newRow("3 Gb/s, in chunks") << true << 3000.0 << true;
  }
  void chunksPayOnSlowLinks() {
    QFETCH(bool, was);
    QFETCH(double, mbps);
    QFETCH(bool, becomes);
    std::vector<std::string> notes;
    const auto over = links(mbps > 0.0 ? std::optional(mbps) : std::nullopt);
    const ClusterPlan plan = with_best_chunks(plan_of(was), over, overlapping(), &notes);
    QCOMPARE(plan.layers[0].in_chunks, becomes);
    QCOMPARE(notes.size(), std::size_t{was != becomes});
    QVERIFY(layer_ms(plan.layers[0], over, overlapping()) <=
            layer_ms(plan_of(was).layers[0], over, overlapping()));
    if (notes.empty()) return;
    const char* way = becomes ? "Layer 1 is worked off in chunks" : "Layer 1 is worked off in one";
    QVERIFY2(notes[0].rfind(way, 0) == 0, notes[0].c_str());
  }

  void littleGainsChangeNothing() {
    const LayerPlan whole = plan_of(false).layers[0];
    int little = 0;
    for (double mbps = 1e5; mbps > 3e3; mbps *= 0.98) {
      const double whole_ms = layer_ms(whole, links(mbps), overlapping());
      const double gain =
          1.0 - layer_ms(worked_off(whole, true), links(mbps), overlapping()) / whole_ms;
      std::vector<std::string> notes;
      const bool changes =
          with_best_chunks(plan_of(false), links(mbps), overlapping(), &notes).layers[0].in_chunks;
      QCOMPARE(changes, gain > kCalibrationNoise);
      little += gain > 0.0 && !changes;
    }
    QVERIFY(little > 0);
  }

  void onlyWithOverlap() {
    std::vector<std::string> notes;
    QVERIFY(with_best_chunks(plan_of(true), links({}), {}, &notes).layers[0].in_chunks);
    QVERIFY(notes.empty());
  }

  void aChoiceNeedsChunksAndParts() {
    QVERIFY(can_work_in_chunks(plan_of(true).layers[0]));
    QVERIFY(!can_work_in_chunks(plan_of(true, 40).layers[0]));  // one chunk
    QVERIFY(!can_work_in_chunks(plan_of(true, 256, "gemm").layers[0]));
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
    layer.in_chunks = false;
    cluster.measure(layer.parts(overlapping()));
    QCOMPARE(made, (std::array<int, 3>{1, 0, 0}));
  }

  void theMastersOwnPartStaysWhole() {
    const auto parts = plan_of(true).layers[0].parts(overlapping());
    QVERIFY(!parts[0].in_chunks);
    QVERIFY(parts[1].in_chunks);
    QVERIFY(!plan_of(false).layers[0].parts(overlapping())[1].in_chunks);
  }
};

QTEST_GUILESS_MAIN(ChunksTest)
#include "chunks_test.moc"
