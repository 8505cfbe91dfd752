// Measurements go through a layer as a step does.
#include "engine/cluster/measure.h"

#include <QTest>
#include <map>

#include "../device/cpu_id.h"
#include "engine/cluster/calibration.h"
#include "engine/cluster/single_device.h"
#include "engine/cluster/worker_program.h"
#include "engine/device/forwarding_device.h"
#include "tests/cluster/faulty_device.h"

using namespace convoy;

namespace {

// Notes which passes its convolutions compute, and with what other work between.
class NotingDevice : public ForwardingDevice {
 public:
  NotingDevice() : ForwardingDevice(open_device(cpu_id(0))) {}
  std::unique_ptr<DeviceConv> make_conv(const ConvProblem& problem,
                                        const DeviceConvOptions& options) override {
    return std::make_unique<Conv>(ForwardingDevice::make_conv(problem, options), passes);
  }
  ThreadPool* host_pool() override {
    ++walks_after[passes.size()];
    return ForwardingDevice::host_pool();
  }
  std::vector<Pass> passes;
  std::map<std::size_t, int> walks_after;  // by how many passes came before

 private:
  class Conv : public ForwardingConv {
   public:
    Conv(std::unique_ptr<DeviceConv> conv, std::vector<Pass>& passes)
        : ForwardingConv(std::move(conv)), passes_(passes) {}
    void run(Pass pass, float* result, const StopToken* stop) override {
      passes_.push_back(pass);
      ForwardingConv::run(pass, result, stop);
    }
    void run_part(Pass pass, Range pictures, float* result, const StopToken* stop) override {
      passes_.push_back(pass);
      ForwardingConv::run_part(pass, pictures, result, stop);
    }

   private:
    std::vector<Pass>& passes_;
  };
};

const ConvProblem kProblem{4, 3, 8, 8, 5, 3, 3, {}};

}  // namespace

class MeasureTest : public QObject {
  Q_OBJECT
 private slots:
  // The first pass on the way back pays for what both make of the output's gradient, such as its
  // transforms: a calibration and the baseline know each pass as the run will have it.
  void passesComeInTheOrderOfAStep() {
    for (const bool grad_input : {true, false}) {
      std::vector<Pass> order{Pass::kForward};
      if (grad_input) order.push_back(Pass::kBackwardData);
      order.push_back(Pass::kBackwardWeights);
      QCOMPARE(first_backward(grad_input), order[1]);
      const auto begins_so = [&](const std::vector<Pass>& passes) {
        return passes.size() >= order.size() &&
               std::equal(order.begin(), order.end(), passes.begin());
      };
      LayerPart part;
      part.problem = kProblem;
      part.pictures = {0, kProblem.batch};
      part.batch = kProblem.batch;
      part.needs_grad_input = grad_input;

      NotingDevice measured;
      measure_part(measured, part, nullptr);
      QVERIFY(begins_so(measured.passes));

      FloatBuffer input(kProblem.input_size()), weight(kProblem.weight_size()),
          output(kProblem.output_size());
      for (FloatBuffer* operand : {&input, &weight, &output}) operand->fill_zero();
      FloatBuffer grad_input_maps(kProblem.input_size()), grad_weight(kProblem.weight_size());
      float* const to_input = grad_input ? grad_input_maps.data() : nullptr;

      NotingDevice alone;
      SingleDevice single(alone, {kProblem, kProblem}, false, nullptr);
      const int layer = grad_input ? 1 : 0;
      LayerForward forward;
      forward.input = input.data();
      forward.weight = weight.data();
      forward.output = output.data();
      single.forward(layer, forward);
      LayerBackward backward;
      backward.grad_output = output.data();
      backward.grad_weight = grad_weight.data();
      backward.grad_input = to_input;
      single.backward(layer, backward);
      QCOMPARE(alone.passes, order);

      NotingDevice worker;
      StopToken halt;
      WorkerProgram program(worker, 0, nullptr, halt);
      WorkerCommand command;
      command.part = part;
      program.obey(command);
      command.kind = CommandKind::kForward;
      command.input = input.span();
      command.weight = weight.span();
      command.output = output.span();
      program.obey(command);
      command.kind = CommandKind::kBackward;
      command.grad_output = output.span();
      command.grad_weight = grad_weight.span();
      if (grad_input) command.grad_input = grad_input_maps.span();
      program.obey(command);
      QCOMPARE(worker.passes, order);
    }
  }

  // In a step the other layers push a layer's maps out of the caches, in calibration as much memory
  // does, where it stands for them.
  void otherLayersComeBetweenThePasses() {
    LayerPart part;
    part.problem = kProblem;
    part.pictures = {0, kProblem.batch};
    part.batch = kProblem.batch;
    NotingDevice calm;
    measure_part(calm, part, nullptr);
    QVERIFY(calm.walks_after.empty());

    part.others = {1 << 20, 1 << 18};
    NotingDevice busy;
    measure_part(busy, part, nullptr);
    const std::size_t steps = busy.passes.size() / 3;
    QVERIFY(steps >= 3);
    for (std::size_t step = 0; step < steps; ++step) {
      QCOMPARE(busy.walks_after[3 * step], 1);
      QCOMPARE(busy.walks_after[3 * step + 1], 1);
      QCOMPARE(busy.walks_after[3 * step + 2], 0);
    }
  }

  // All layers forward, then all backward; a layer without a part is passed over.
  void aRehearsalGoesThroughAllLayers() {
    const auto part_of = [](int kernels, bool grad_input) {
      ChosenPart chosen;
      chosen.part.problem = kProblem.with_kernels(kernels);
      chosen.part.pictures = {0, kProblem.batch};
      chosen.part.batch = kProblem.batch;
      chosen.part.needs_grad_input = grad_input;
      return chosen;
    };
    NotingDevice device;
    const auto ms =
        measure_step(device, {part_of(3, false), part_of(0, true), part_of(2, true)}, nullptr);
    const std::vector<Pass> step{Pass::kForward, Pass::kForward, Pass::kBackwardData,
                                 Pass::kBackwardWeights, Pass::kBackwardWeights};
    QCOMPARE(device.passes.size() % step.size(), std::size_t{0});
    QVERIFY(device.passes.size() >= 4 * step.size());
    for (std::size_t i = 0; i < device.passes.size(); ++i)
      QCOMPARE(device.passes[i], step[i % step.size()]);
    QCOMPARE(ms.size(), std::size_t{3});
    const auto backward_data = static_cast<std::size_t>(Pass::kBackwardData);
    QCOMPARE(ms[0][backward_data], 0.0);
    QCOMPARE(ms[1], (std::array<double, 3>{}));
    for (const double pass_ms : ms[2]) QVERIFY(pass_ms > 0.0);
  }

  // What a device takes for its share is what the rehearsal says, however the layer is split; who
  // is lost in it gets no share.
  void calibrationRestsOnTheRehearsal_data() {
    QTest::addColumn<bool>("fails");
    QTest::newRow("all are left") << false;
    QTest::newRow("one is lost") << true;
  }
  void calibrationRestsOnTheRehearsal() {
    QFETCH(bool, fails);
    const auto faults = std::make_shared<Faults>();
    std::vector<ClusterMember> members;
    members.push_back({open_device(cpu_id(0)), {}});
    members.push_back({std::make_unique<FaultyDevice>(open_device(cpu_id(1)), faults), {}});
    // Made once for each way to split, then for the rehearsal.
    if (fails) faults->arm(Call::kMakeConv, Fault::kThrow, 2);
    DistributionOptions options;
    options.split = SplitMode::kAuto;
    Cluster cluster(std::move(members), nullptr);
    const ClusterPlan plan =
        calibrate(cluster, {kProblem}, {"A", "B"}, {false, {0.5, 0.5}}, options, [](int) {});
    const LayerPlan& layer = plan.layers[0];
    QCOMPARE(plan.lost.size(), std::size_t{fails});
    QCOMPARE(layer.counts()[1] == 0, fails);
    if (fails) {
      QCOMPARE(plan.lost[0].device, 1);
      QCOMPARE(plan.lost[0].command, CommandKind::kRehearse);
      QCOMPARE(layer.counts()[0], layer.whole());
      return;
    }
    for (const LayerPlan* way : {&layer, layer.other_split.get()})
      for (std::size_t device = 0; device < 2; ++device) {
        const double ms = way->measured[device].total_ms();
        QVERIFY(std::abs(way->cost[device].ms(way->measured_counts[device]) - ms) < 1e-9 * ms);
      }
  }

  // First all layers forward, then all backward; each device has its part of maps and weights.
  void calibrationKnowsWhatTheOtherLayersMove() {
    const ConvProblem first{4, 3, 8, 8, 6, 3, 3, {}}, second{4, 6, 6, 6, 4, 3, 3, {}};
    const auto bytes = [](const ConvProblem& problem) {
      return 8 * (problem.input_size() + (problem.output_size() + problem.weight_size()) / 2);
    };
    std::vector<ClusterMember> members;
    for (std::size_t i = 0; i < 2; ++i) members.push_back({open_device(cpu_id(i)), {}});
    Cluster cluster(std::move(members), nullptr);
    const ClusterPlan plan =
        calibrate(cluster, {first, second}, {"A", "B"}, {true, {}}, {}, [](int) {});
    QCOMPARE(plan.layers[0].others.before_forward, std::size_t{0});
    QCOMPARE(plan.layers[0].others.before_backward, bytes(second));
    QCOMPARE(plan.layers[1].others.before_forward, bytes(first));
    QCOMPARE(plan.layers[1].others.before_backward, std::size_t{0});
    QCOMPARE(plan.layers[1].parts({}).at(1).others.before_forward, bytes(first));
  }
};

QTEST_GUILESS_MAIN(MeasureTest)
#include "measure_test.moc"
