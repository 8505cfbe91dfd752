// A layer over one to five devices gives what one device gives; traffic is what the formulas say.
#include <QTest>
#include <numeric>

#include "engine/cluster/calibration.h"
#include "engine/cluster/distributed_conv.h"
#include "engine/cluster/single_device.h"
#include "engine/device/forwarding_device.h"
#include "tests/cluster/conv_case.h"

using namespace convoy;

namespace {

std::vector<ClusterMember> cpu_members(std::size_t count, const LinkSettings& link = {}) {
  std::vector<ClusterMember> members;
  for (std::size_t i = 0; i < count; ++i) members.push_back({open_device(cpu_id(i)), link});
  return members;
}

// Random counts that sum to `kernels`; zeros happen, at the master too.
std::vector<int> random_split(int kernels, std::size_t devices, Random& random) {
  std::vector<int> counts(devices);
  for (int k = 0; k < kernels; ++k) ++counts[random.below(devices)];
  return counts;
}

// Notes what it is asked for.
class ListeningDevice : public ForwardingDevice {
 public:
  ListeningDevice(const std::string& id, std::vector<DeviceConvOptions>& asked)
      : ForwardingDevice(open_device(id)), asked_(asked) {}
  std::unique_ptr<DeviceConv> make_conv(const ConvProblem& problem,
                                        const DeviceConvOptions& options) override {
    asked_.push_back(options);
    return ForwardingDevice::make_conv(problem, options);
  }

 private:
  std::vector<DeviceConvOptions>& asked_;
};

}  // namespace

class DistributedConvTest : public QObject {
  Q_OBJECT
 private slots:
  void equalsOneDevice() {
    constexpr std::uint64_t kSeed = 42;
    Random random(kSeed);
    for (int round = 0; round < 25; ++round) {
      const std::size_t devices = 1 + random.below(5);
      ConvProblem first;
      first.batch = 1 + static_cast<int>(random.below(9));
      first.in_channels = 1 + static_cast<int>(random.below(4));
      first.in_height = 5 + static_cast<int>(random.below(8));
      first.in_width = 5 + static_cast<int>(random.below(8));
      first.out_channels = 1 + static_cast<int>(random.below(12));
      first.kernel_height = 1 + static_cast<int>(random.below(5));
      first.kernel_width = 1 + static_cast<int>(random.below(5));
      if (random.below(2)) first.padding = Padding::same(first.kernel_height, first.kernel_width);
      const QString reproduce = QString("seed %1, round %2: %3 on %4 devices")
                                    .arg(kSeed)
                                    .arg(round)
                                    .arg(QString::fromStdString(first.describe()))
                                    .arg(devices);

      const LayerCase layer(first, random.bits());
      const LayerResults expected = reference_results(layer);
      // The case as second layer, so that grad_input is asked for.
      const auto split = random_split(first.out_channels, devices, random);
      // Without a limit in place, with one over memory of the worker's own.
      const LinkSettings link = random.below(2) ? LinkSettings{} : LinkSettings{1e5, 0.0};
      Cluster cluster(cpu_members(devices, link), nullptr);
      ThreadPool pool({available_cores()[0]});
      DistributedConv conv(cluster, explicit_plan({first, first}, {split, split}), {}, pool);
      const LayerResults results = run_layer(conv, 1, layer);
      QVERIFY2(difference(results, expected) < 1e-5, qPrintable(reproduce));

      // Again, over the other kind of link: the same bits.
      LayerResults again(first);
      for (int device = 1; device < cluster.size(); ++device)
        cluster.set_link(device, link == LinkSettings{} ? LinkSettings{1e5, 0.0} : LinkSettings{});
      conv.forward(1, layer.forward_to(again));
      if (random.below(2))  // moved in the middle of a step
        for (int device = 1; device < cluster.size(); ++device) cluster.set_link(device, link);
      conv.backward(1, layer.backward_to(again));
      QVERIFY2(std::memcmp(again.grad_input.data(), results.grad_input.data(),
                           again.grad_input.size() * sizeof(float)) == 0,
               qPrintable(reproduce));
    }
  }

  void trafficIsWhatTheFormulasSay() {
    const ConvProblem p = make_problem(3, 2, 9, 7, 3);
    const std::vector<int> kernels = {2, 4, 1};
    Cluster cluster(cpu_members(3), nullptr);
    ThreadPool pool({available_cores()[0]});
    DistributedConv conv(cluster, explicit_plan({p, p}, {kernels, kernels}), {}, pool);
    const LayerCase layer(p, 5);
    LayerResults results(p);
    for (const int number : {0, 1}) {
      conv.forward(number, layer.forward_to(results));
      LayerBackward backward = layer.backward_to(results);
      if (number == 0) backward.grad_input = nullptr;
      conv.backward(number, backward);
    }
    std::uint64_t received[2][3] = {}, sent[2][3] = {};
    for (const Slice& slice : conv.take_slices()) {
      QVERIFY(slice.begin <= slice.end);
      if (slice.activity == Activity::kReceive) received[slice.layer][slice.device] += slice.bytes;
      if (slice.activity == Activity::kSend) sent[slice.layer][slice.device] += slice.bytes;
      if (slice.device == 0)
        QVERIFY(slice.activity == Activity::kCompute || slice.activity == Activity::kWait);
    }
    for (std::size_t device = 0; device < 3; ++device)
      for (std::size_t number = 0; number < 2; ++number) {
        if (device == 0) {
          QCOMPARE(received[number][device], 0U);
          QCOMPARE(sent[number][device], 0U);
          continue;
        }
        const std::uint64_t k = static_cast<std::uint64_t>(kernels[device]);
        const std::uint64_t x = 2 * 9 * 9 * 3, y = k * 7 * 7 * 3, w = k * 2 * 3 * 3;
        QCOMPARE(received[number][device], 4 * (x + w + y));
        QCOMPARE(sent[number][device], 4 * (y + w + (number == 0 ? 0 : x)));
      }
    QVERIFY(conv.take_slices().empty());
    QVERIFY(conv.take_time() > SteadyClock::duration{});
  }

  void aDeviceSplitInTwoDoesNotChangeTheForwardBits() {
    // Output maps of a kernel do not depend on which device computes them.
    const ConvProblem p = make_problem(8, 3, 12, 6, 5);
    Random random(3);
    LayerCase layer(p, 9);
    // Small integers: sums are exact, in any order.
    for (FloatBuffer* buffer : {&layer.input, &layer.weight, &layer.grad_output})
      fill_integers(*buffer, random);
    const LayerResults expected = reference_results(layer);
    for (const std::vector<int>& kernels :
         std::vector<std::vector<int>>{{6, 0}, {0, 6}, {1, 5}, {3, 3}, {2, 4}}) {
      Cluster cluster(cpu_members(2), nullptr);
      ThreadPool pool({available_cores()[0]});
      DistributedConv conv(cluster, explicit_plan({p, p}, {kernels, kernels}), {}, pool);
      QCOMPARE(difference(run_layer(conv, 1, layer), expected), 0.0);
    }
  }

  void allThatALayerLeavesOutAreSaidAtOnce() {
    ConvProblem p = make_problem(4, 3, 10, 9, 3);
    p.out_channels = 1;
    Cluster cluster(cpu_members(3), nullptr);
    const ClusterPlan plan = calibrate(cluster, {p}, {"a", "b", "c"}, {true, {}}, {}, [](int) {});
    QCOMPARE(plan.messages.size(), std::size_t{1});
    const std::string& text = plan.messages.front();
    QVERIFY2(text.starts_with("Devices ") &&
                 text.find(" get no kernel of layer 1 ") != std::string::npos &&
                 text.find("one would take each at least ") != std::string::npos,
             text.c_str());
  }

  void calibrationSplitsEveryLayer() {
    const ConvProblem p = make_problem(4, 3, 10, 9, 3);
    ConvProblem q = p;
    q.in_channels = 9;
    q.out_channels = 2;
    Cluster cluster(cpu_members(3), nullptr);
    std::vector<int> heard;
    const ClusterPlan plan = calibrate(cluster, {p, q}, {"a", "b", "c"}, {true, {}}, {},
                                       [&](int layer) { heard.push_back(layer); });
    QCOMPARE(heard, (std::vector<int>{0, 1}));
    QCOMPARE(plan.layers.size(), std::size_t{2});
    for (const LayerPlan& layer : plan.layers) {
      QCOMPARE(std::accumulate(layer.kernels.begin(), layer.kernels.end(), 0),
               layer.problem.out_channels);
      for (std::size_t device = 0; device < 3; ++device) {
        QVERIFY(layer.cost[device].ms_per_kernel > 0.0);
        QVERIFY(layer.measured[device].ms[0] > 0.0);
        QVERIFY(layer.measured[device].ms[2] > 0.0);
        QCOMPARE(layer.measured[device].ms[1] > 0.0, layer.needs_grad_input);
        QVERIFY(!layer.measured[device].algorithm[0].empty());
      }
    }
    // Two kernels for three devices: one is left out, and said so.
    QCOMPARE(std::count(plan.layers[1].kernels.begin(), plan.layers[1].kernels.end(), 0),
             std::ptrdiff_t{1});
    QVERIFY(!plan.messages.empty());
    QVERIFY(plan.messages[0].find("layer 2") != std::string::npos ||
            plan.messages.back().find("layer 2") != std::string::npos);
    double shares = 0.0;
    for (int device = 0; device < 3; ++device) {
      shares += plan.share(device);
      QVERIFY(plan.gflops(device) > 0.0);
    }
    QVERIFY(std::abs(shares - 1.0) < 1e-12);
  }

  // What runs is what was measured, at the very shares where these are known before.
  void whatWasMeasuredRuns() {
    const ConvProblem p = make_problem(4, 3, 10, 8, 3);
    std::vector<DeviceConvOptions> asked[2];
    std::vector<ClusterMember> members;
    for (std::size_t i = 0; i < 2; ++i)
      members.push_back({std::make_unique<ListeningDevice>(cpu_id(i), asked[i]), {}});
    Cluster cluster(std::move(members), nullptr);
    ClusterPlan plan = calibrate(cluster, {p}, {"a", "b"}, {false, {0.75, 0.25}}, {}, [](int) {});
    QCOMPARE(plan.layers[0].measured_counts, (std::vector<int>{6, 2}));
    QCOMPARE(plan.layers[0].kernels, (std::vector<int>{6, 2}));
    plan.layers[0].measured[1].algorithm = {"reference", "", "gemm"};
    ThreadPool pool({available_cores()[0]});
    const DistributedConv conv(cluster, plan, {}, pool);
    for (std::size_t i = 0; i < 2; ++i) {
      // Measured, rehearsed, configured.
      QCOMPARE(asked[i].size(), std::size_t{3});
      QVERIFY(asked[i][0].measure && !asked[i][0].needs_grad_input && asked[i][0].stop);
      QVERIFY(!asked[i][1].measure && !asked[i][1].needs_grad_input && asked[i][1].stop);
      QVERIFY(!asked[i][2].measure && !asked[i][2].needs_grad_input);
      QVERIFY(asked[i][2].algorithms == plan.layers[0].measured[i].algorithm);
    }
    QVERIFY(asked[0][1].algorithms == plan.layers[0].measured[0].algorithm);
    QVERIFY(!plan.layers[0].measured[0].algorithm[0].empty());
  }

  void oneDeviceEqualsTheDeviceItself() {
    const ConvProblem p = make_problem(5, 4, 8, 6, 3);
    const LayerCase layer(p, 11);
    const auto device = open_device(cpu_id(0));
    SingleDevice single(*device, {p, p}, false, nullptr);
    const LayerResults direct = run_layer(single, 1, layer);
    QVERIFY(single.take_conv_ms() > 0.0);
    QCOMPARE(single.take_conv_ms(), 0.0);
    Cluster cluster(cpu_members(1), nullptr);
    ThreadPool pool({available_cores()[0]});
    DistributedConv conv(cluster, explicit_plan({p, p}, {{6}, {6}}), {}, pool);
    QCOMPARE(difference(run_layer(conv, 1, layer), direct), 0.0);
  }
};

QTEST_GUILESS_MAIN(DistributedConvTest)
#include "distributed_conv_test.moc"
