// CPU and OpenCL devices in one cluster, an emulated slower one among them.
#include <QTest>
#include <array>
#include <cstring>
#include <optional>

#include "engine/cluster/calibration.h"
#include "engine/cluster/distributed_conv.h"
#include "engine/device/forwarding_device.h"
#include "engine/device/slowed_device.h"
#include "tests/cluster/conv_case.h"

using namespace convoy;

namespace {

// Adds up the real time of its passes.
class TimedDevice : public ForwardingDevice {
 public:
  explicit TimedDevice(double& ms) : ForwardingDevice(open_device(cpu_id(0))), ms_(ms) {}
  std::unique_ptr<DeviceConv> make_conv(const ConvProblem& problem,
                                        const DeviceConvOptions& options) override {
    return std::make_unique<Conv>(ForwardingDevice::make_conv(problem, options), ms_);
  }

 private:
  class Conv : public ForwardingConv {
   public:
    Conv(std::unique_ptr<DeviceConv> conv, double& ms) : ForwardingConv(std::move(conv)), ms_(ms) {}
    bool works_in_parts() const override { return false; }
    void run(Pass pass, float* result, const StopToken* stop) override {
      const auto begin = SteadyClock::now();
      ForwardingConv::run(pass, result, stop);
      ms_ += milliseconds(SteadyClock::now() - begin);
    }

   private:
    double& ms_;
  };
  double& ms_;
};

std::string first_opencl_id() {
  for (const DeviceInfo& info : list_devices())
    if (info.id.starts_with("opencl:")) return info.id;
  throw Error(ErrorKind::kDevice, "OpenCL", "no device; scripts/test installs PoCL");
}

// A layer with pooling behind it.
struct PooledCase {
  PooledCase(const ConvProblem& p, std::uint64_t seed) : layer(p, seed) {
    Random random(seed + 1);
    bias = random_floats(static_cast<std::size_t>(p.out_channels), random);
    grad_pooled = random_floats(p.pooled_size(), random);
  }
  LayerCase layer;
  FloatBuffer bias, grad_pooled;
};

struct PooledResults {
  explicit PooledResults(const ConvProblem& p)
      : values{nans(p.pooled_size()), nans(p.weight_size()), nans(p.input_size()),
               nans(static_cast<std::size_t>(p.out_channels))} {}
  std::array<FloatBuffer, 4> values;  // pooled maps; gradients of weight, input, bias
  int chunks = 0;                     // that a worker computed beside its first ones
};

PooledResults run_pooled(std::vector<ClusterMember> members, ClusterPlan plan,
                         const DistributionOptions& options, const PooledCase& given) {
  const ConvProblem& p = given.layer.problem;
  Cluster cluster(std::move(members), nullptr);
  ThreadPool pool({available_cores()[0]});
  DistributedConv conv(cluster, std::move(plan), options, pool);
  PooledResults results(p);
  auto& [pooled, grad_weight, grad_input, grad_bias] = results.values;
  conv.forward(
      1, {given.layer.input.data(), given.layer.weight.data(), pooled.data(), given.bias.data()});
  conv.backward(
      1, {given.grad_pooled.data(), grad_weight.data(), grad_input.data(), grad_bias.data()});
  for (const Slice& slice : conv.take_slices())
    results.chunks += slice.activity == Activity::kCompute && slice.chunk > 0;
  return results;
}

}  // namespace

class MixedDevicesTest : public QObject {
  Q_OBJECT
 private slots:
  void equalOneDevice() {
    ConvProblem p = make_problem(6, 5, 9, 11, 3);
    p.padding = Padding::all(1);
    const LayerCase layer(p, 77);
    const LayerResults expected = reference_results(layer);
    const std::string opencl = first_opencl_id();

    // Each in turn as the master's own.
    for (const bool opencl_first : {false, true}) {
      std::vector<ClusterMember> members;
      members.push_back({open_device(opencl_first ? opencl : cpu_id(0)), {}});
      members.push_back({slowed_device(open_device(cpu_id(1)), 0.5), {}});
      members.push_back({open_device(opencl_first ? cpu_id(0) : opencl), {10000.0, 0.05}});
      Cluster cluster(std::move(members), nullptr);
      const ClusterPlan plan =
          calibrate(cluster, {p, p}, {"a", "b", "c"}, {false, {0.5, 0.2, 0.3}}, {}, [](int) {});
      ThreadPool pool({available_cores()[0]});
      DistributedConv conv(cluster, plan, {}, pool);
      for (int round = 0; round < 2; ++round)
        QVERIFY(difference(run_layer(conv, 1, layer), expected) < 1e-5);
    }
  }

  // What an OpenCL device pools while the next chunk travels has the bits of the same in one piece;
  // what cannot work in parts works in one piece then, too.
  void poolingInChunksChangesNothing_data() {
    QTest::addColumn<QString>("algorithm");
    QTest::addColumn<bool>("in_parts");
    QTest::newRow("im2col") << "im2col+vector" << true;
    QTest::newRow("fft") << "fft+vector" << true;
    QTest::newRow("clblast") << "im2col+clblast" << false;
  }
  void poolingInChunksChangesNothing() {
    QFETCH(QString, algorithm);
    QFETCH(bool, in_parts);
    const ConvProblem p = make_problem(101, 2, 9, 7, 3);  // odd maps, and an odd batch
    const PooledCase given(p, 31);
    const std::string name = algorithm.toStdString();
    DistributionOptions fused;
    fused.fuse_pooling = true;
    DistributionOptions both = fused;
    both.overlap = true;
    std::vector<ClusterMember> one_cpu;
    one_cpu.push_back({open_device(cpu_id(0)), {}});
    const PooledResults alone =
        run_pooled(std::move(one_cpu), explicit_plan({p, p}, {{7}, {7}}), fused, given);
    for (const SplitMode split : {SplitMode::kKernels, SplitMode::kBatch})
      for (const std::optional<double> mbps : {std::optional<double>(), std::optional(5000.0)}) {
        ClusterPlan plan = explicit_plan({p, p}, {{2, 5}, {2, 5}});
        for (LayerPlan& layer : plan.layers) {
          layer.split = split;
          if (split == SplitMode::kBatch) layer.set_counts({20, 81});
          layer.measured.resize(2);
          layer.measured[1].algorithm = {name, name, name};
        }
        const auto run = [&](const DistributionOptions& options) {
          std::vector<ClusterMember> members;
          members.push_back({open_device(cpu_id(0)), {}});
          members.push_back({open_device(first_opencl_id()), {mbps, 0.0}});
          return run_pooled(std::move(members), plan, options, given);
        };
        const PooledResults whole = run(fused), chunked = run(both);
        QCOMPARE(whole.chunks, 0);
        QCOMPARE(chunked.chunks > 1, in_parts);
        for (std::size_t i = 0; i < whole.values.size(); ++i) {
          const FloatBuffer &found = chunked.values[i], &expected = whole.values[i];
          QVERIFY2(std::memcmp(found.data(), expected.data(), found.size() * sizeof(float)) == 0,
                   qPrintable(QString("result %1, split %2").arg(i).arg(split_mode_name(split))));
          QVERIFY(difference(found, alone.values[i]) < 1e-5);
        }
      }
  }

  void slowedDeviceTakesLonger() {
    // Sleeping makes this a lower bound that no busy machine can break.
    const ConvProblem p = make_problem(16, 16, 16, 16, 5);
    const LayerCase layer(p, 1);
    LayerResults results(p);
    double computed_ms = 0.0;
    const auto slow = slowed_device(std::make_unique<TimedDevice>(computed_ms), 0.25);
    const auto conv = slow->make_conv(p, {});
    conv->set_operand(Operand::kInput, layer.input.data());
    conv->set_operand(Operand::kWeight, layer.weight.data());
    const auto begin = SteadyClock::now();
    conv->run(Pass::kForward, results.output.data(), nullptr);
    const double whole_ms = milliseconds(SteadyClock::now() - begin);
    QVERIFY(computed_ms > 0.0);
    QVERIFY2(whole_ms >= 3.99 * computed_ms,
             qPrintable(QString("%1 ms for %2 ms of work").arg(whole_ms).arg(computed_ms)));
    QVERIFY_EXCEPTION_THROWN(slowed_device(open_device(cpu_id(0)), 1.5), Error);
    QVERIFY_EXCEPTION_THROWN(slowed_device(open_device(cpu_id(0)), 0.0), Error);
  }
};

QTEST_GUILESS_MAIN(MixedDevicesTest)
#include "mixed_devices_test.moc"
