// A device that fails, and a person who stops: nobody hangs, the error says who.
#include <QTest>
#include <thread>

#include "engine/cluster/distributed_conv.h"
#include "engine/device/forwarding_device.h"
#include "tests/cluster/conv_case.h"

using namespace convoy;

namespace {

// A real device that fails in its n-th pass.
class FailingDevice : public ForwardingDevice {
 public:
  explicit FailingDevice(int passes) : ForwardingDevice(open_device(cpu_id(0))), left_(passes) {}
  std::unique_ptr<DeviceConv> make_conv(const ConvProblem& problem,
                                        const DeviceConvOptions& options) override {
    return std::make_unique<Conv>(ForwardingDevice::make_conv(problem, options), left_);
  }

 private:
  class Conv : public ForwardingConv {
   public:
    Conv(std::unique_ptr<DeviceConv> conv, int& left)
        : ForwardingConv(std::move(conv)), left_(left) {}
    bool works_in_parts() const override { return false; }
    void run(Pass pass, float* result, const StopToken* stop) override {
      if (left_-- == 0) throw Error(ErrorKind::kDevice, "test:7", "the device has been unplugged");
      ForwardingConv::run(pass, result, stop);
    }

   private:
    int& left_;
  };
  int left_;
};

ConvProblem small_problem() {
  return make_problem(2, 3, 8, 6, 3);
}

ClusterPlan thirds() {
  return explicit_plan({small_problem(), small_problem()}, {{2, 2, 2}, {2, 2, 2}});
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
    try {
      run_layer(conv, 1, layer);
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
    QVERIFY_EXCEPTION_THROWN(conv.forward(1, layer.forward_to(results)), Error);
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
    QVERIFY_EXCEPTION_THROWN(conv.forward(1, layer.forward_to(results)), Interrupted);
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
    conv.forward(1, layer.forward_to(results));
    person.join();
    QVERIFY(difference(results.output, reference_results(layer).output) < 1e-5);
  }
};

QTEST_GUILESS_MAIN(ClusterFailureTest)
#include "cluster_failure_test.moc"
