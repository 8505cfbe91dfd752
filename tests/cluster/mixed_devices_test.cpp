// CPU and OpenCL devices in one cluster, an emulated slower one among them.
#include <QTest>

#include "conv_case.h"
#include "engine/cluster/calibration.h"
#include "engine/cluster/distributed_conv.h"
#include "engine/device/slowed_device.h"

using namespace convoy;

class MixedDevicesTest : public QObject {
  Q_OBJECT
 private slots:
  void equalOneDevice() {
    ConvProblem p;
    p.batch = 6;
    p.in_channels = 5;
    p.in_height = p.in_width = 9;
    p.out_channels = 11;
    p.kernel_height = p.kernel_width = 3;
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
      for (int round = 0; round < 2; ++round) {
        LayerResults results(p);
        conv.forward(
            1, (LayerForward{layer.input.data(), layer.weight.data(), results.output.data()}));
        conv.backward(1, (LayerBackward{layer.grad_output.data(), results.grad_weight.data(),
                                        results.grad_input.data()}));
        QVERIFY(difference(results.output, expected.output) < 1e-5);
        QVERIFY(difference(results.grad_weight, expected.grad_weight) < 1e-5);
        QVERIFY(difference(results.grad_input, expected.grad_input) < 1e-5);
      }
    }
  }

  void slowedDeviceTakesLonger() {
    // Sleeping makes this a lower bound that no busy machine can break.
    ConvProblem p;
    p.batch = 16;
    p.in_channels = 16;
    p.in_height = p.in_width = 16;
    p.out_channels = 16;
    p.kernel_height = p.kernel_width = 5;
    const LayerCase layer(p, 1);
    LayerResults results(p);
    // Counts the real time of the device within the slowed one.
    class Counting : public Device {
     public:
      explicit Counting(double& ms) : device_(open_device(cpu_id(0))), ms_(ms) {}
      const DeviceInfo& info() const override { return device_->info(); }
      std::unique_ptr<DeviceConv> make_conv(const ConvProblem& problem,
                                            const DeviceConvOptions& options) override {
        class Conv : public DeviceConv {
         public:
          Conv(std::unique_ptr<DeviceConv> conv, double& ms) : conv_(std::move(conv)), ms_(ms) {}
          const ConvProblem& problem() const override { return conv_->problem(); }
          void set_operand(Operand operand, const float* host) override {
            conv_->set_operand(operand, host);
          }
          void run(Pass pass, float* result, const StopToken* stop) override {
            const auto begin = SteadyClock::now();
            conv_->run(pass, result, stop);
            ms_ += milliseconds(SteadyClock::now() - begin);
          }
          std::string algorithm(Pass pass) const override { return conv_->algorithm(pass); }
          ChosenBy chosen_by(Pass pass) const override { return conv_->chosen_by(pass); }
          double executed_flops(Pass pass) const override { return conv_->executed_flops(pass); }
          std::size_t scratch_bytes() const override { return conv_->scratch_bytes(); }

         private:
          std::unique_ptr<DeviceConv> conv_;
          double& ms_;
        };
        return std::make_unique<Conv>(device_->make_conv(problem, options), ms_);
      }
      std::size_t planned_scratch(const std::vector<ConvProblem>& layers,
                                  const DeviceConvOptions& options) override {
        return device_->planned_scratch(layers, options);
      }

     private:
      std::unique_ptr<Device> device_;
      double& ms_;
    };
    double computed_ms = 0.0;
    const auto slow = slowed_device(std::make_unique<Counting>(computed_ms), 0.25);
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
