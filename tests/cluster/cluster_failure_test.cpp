// A device that fails, and a person who stops: nobody hangs, the error says who.
#include <QTest>
#include <thread>

#include "conv_case.h"
#include "engine/cluster/distributed_conv.h"

using namespace convoy;

namespace {

// A real device that fails in its n-th pass.
class FailingDevice : public Device {
 public:
  explicit FailingDevice(int passes) : device_(open_device(cpu_id(0))), left_(passes) {}
  const DeviceInfo& info() const override { return device_->info(); }
  std::unique_ptr<DeviceConv> make_conv(const ConvProblem& problem,
                                        const DeviceConvOptions& options) override {
    return std::make_unique<Conv>(device_->make_conv(problem, options), left_);
  }
  std::size_t planned_scratch(const std::vector<ConvProblem>& layers,
                              const DeviceConvOptions& options) override {
    return device_->planned_scratch(layers, options);
  }

 private:
  class Conv : public DeviceConv {
   public:
    Conv(std::unique_ptr<DeviceConv> conv, int& left) : conv_(std::move(conv)), left_(left) {}
    const ConvProblem& problem() const override { return conv_->problem(); }
    void set_operand(Operand operand, const float* host) override {
      conv_->set_operand(operand, host);
    }
    void run(Pass pass, float* result, const StopToken* stop) override {
      if (left_-- == 0) throw Error(ErrorKind::kDevice, "test:7", "the device has been unplugged");
      conv_->run(pass, result, stop);
    }
    std::string algorithm(Pass pass) const override { return conv_->algorithm(pass); }
    ChosenBy chosen_by(Pass pass) const override { return conv_->chosen_by(pass); }
    double executed_flops(Pass pass) const override { return conv_->executed_flops(pass); }
    std::size_t scratch_bytes() const override { return conv_->scratch_bytes(); }

   private:
    std::unique_ptr<DeviceConv> conv_;
    int& left_;
  };
  std::unique_ptr<Device> device_;
  int left_;
};

ConvProblem small_problem() {
  ConvProblem p;
  p.batch = 2;
  p.in_channels = 3;
  p.in_height = p.in_width = 8;
  p.out_channels = 6;
  p.kernel_height = p.kernel_width = 3;
  return p;
}

ClusterPlan thirds() {
  ClusterPlan plan;
  for (int i = 0; i < 2; ++i) {
    LayerPlan layer;
    layer.problem = small_problem();
    layer.needs_grad_input = true;
    layer.kernels = {2, 2, 2};
    plan.layers.push_back(layer);
  }
  return plan;
}

}  // namespace

class ClusterFailureTest : public QObject {
  Q_OBJECT
 private slots:
  void failureNamesTheDevice_data() {
    QTest::addColumn<int>("device");
    QTest::addColumn<int>("pass");
    for (int device = 0; device < 3; ++device)
      for (int pass = 0; pass < 3; ++pass)
        QTest::addRow("device %d, pass %d", device, pass) << device << pass;
  }
  void failureNamesTheDevice() {
    QFETCH(int, device);
    QFETCH(int, pass);
    std::vector<ClusterMember> members;
    for (int i = 0; i < 3; ++i) {
      std::unique_ptr<Device> member;
      if (i == device)
        member = std::make_unique<FailingDevice>(pass);
      else
        member = open_device(cpu_id(static_cast<std::size_t>(i)));
      members.push_back({std::move(member), {}});
    }
    Cluster cluster(std::move(members), nullptr);
    ThreadPool pool({available_cores()[0]});
    DistributedConv conv(cluster, thirds(), {}, pool);
    const LayerCase layer(small_problem(), 4);
    LayerResults results(small_problem());
    try {
      conv.forward(1,
                   (LayerForward{layer.input.data(), layer.weight.data(), results.output.data()}));
      conv.backward(1, (LayerBackward{layer.grad_output.data(), results.grad_weight.data(),
                                      results.grad_input.data()}));
      QFAIL("the failure went unnoticed");
    } catch (const Error& error) {
      QCOMPARE(error.kind(), ErrorKind::kDevice);
      QCOMPARE(QString(error.what()), QString("test:7: the device has been unplugged"));
    }
  }

  void failureEndsTheOthersTransfers_data() {
    QTest::addColumn<int>("failing");
    for (int device = 0; device < 3; ++device) QTest::addRow("device %d", device) << device;
  }
  void failureEndsTheOthersTransfers() {
    // The healthy workers' links would take hours; the failure of one device ends them all.
    QFETCH(int, failing);
    const LinkSettings glacial{1e-4, 0.0};
    std::vector<ClusterMember> members;
    for (int i = 0; i < 3; ++i) {
      if (i == failing)
        members.push_back({std::make_unique<FailingDevice>(0), {}});
      else
        members.push_back({open_device(cpu_id(static_cast<std::size_t>(i))), glacial});
    }
    Cluster cluster(std::move(members), nullptr);
    ThreadPool pool({available_cores()[0]});
    DistributedConv conv(cluster, thirds(), {}, pool);
    const LayerCase layer(small_problem(), 4);
    LayerResults results(small_problem());
    QVERIFY_EXCEPTION_THROWN(conv.forward(1, (LayerForward{layer.input.data(), layer.weight.data(),
                                                           results.output.data()})),
                             Error);
  }

  void stopEndsATransfer() {
    StopToken stop;
    std::vector<ClusterMember> members;
    members.push_back({open_device(cpu_id(0)), {}});
    members.push_back({open_device(cpu_id(1)), {1e-4, 0.0}});
    members.push_back({open_device(cpu_id(0)), {std::nullopt, 1e7}});
    Cluster cluster(std::move(members), &stop);
    ThreadPool pool({available_cores()[0]});
    DistributedConv conv(cluster, thirds(), {}, pool);
    const LayerCase layer(small_problem(), 4);
    LayerResults results(small_problem());
    std::thread person([&] { stop.request_stop(); });
    QVERIFY_EXCEPTION_THROWN(conv.forward(1, (LayerForward{layer.input.data(), layer.weight.data(),
                                                           results.output.data()})),
                             Interrupted);
    person.join();
  }

  void newBandwidthReachesARunningTransfer() {
    std::vector<ClusterMember> members;
    members.push_back({open_device(cpu_id(0)), {}});
    members.push_back({open_device(cpu_id(1)), {1e-3, 0.0}});
    members.push_back({open_device(cpu_id(0)), {}});
    Cluster cluster(std::move(members), nullptr);
    ThreadPool pool({available_cores()[0]});
    DistributedConv conv(cluster, thirds(), {}, pool);
    const LayerCase layer(small_problem(), 4);
    LayerResults results(small_problem());
    std::thread person([&] { cluster.set_link(1, {}); });
    conv.forward(1, (LayerForward{layer.input.data(), layer.weight.data(), results.output.data()}));
    person.join();
    QVERIFY(difference(results.output, reference_results(layer).output) < 1e-5);
  }
};

QTEST_GUILESS_MAIN(ClusterFailureTest)
#include "cluster_failure_test.moc"
