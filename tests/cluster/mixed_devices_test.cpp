// CPU and OpenCL devices in one cluster, an emulated slower one among them.
#include <QTest>

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

}  // namespace

class MixedDevicesTest : public QObject {
  Q_OBJECT
 private slots:
  void equalOneDevice() {
    ConvProblem p = make_problem(6, 5, 9, 11, 3);
    p.padding = Padding::all(1);
    const LayerCase layer(p, 77);
    const LayerResults expected = reference_results(layer);
    std::string opencl;
    for (const DeviceInfo& info : list_devices())
      if (info.id.rfind("opencl:", 0) == 0 && opencl.empty()) opencl = info.id;
    QVERIFY2(!opencl.empty(), "no OpenCL device; scripts/test installs PoCL");

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
