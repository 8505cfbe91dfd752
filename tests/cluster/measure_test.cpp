// Measurements go through a layer as a step does.
#include "engine/cluster/measure.h"

#include <QTest>

#include "../device/cpu_id.h"
#include "engine/cluster/single_device.h"
#include "engine/cluster/worker_program.h"
#include "engine/device/forwarding_device.h"

using namespace convoy;

namespace {

// Notes which passes its convolutions compute.
class NotingDevice : public ForwardingDevice {
 public:
  NotingDevice() : ForwardingDevice(open_device(cpu_id(0))) {}
  std::unique_ptr<DeviceConv> make_conv(const ConvProblem& problem,
                                        const DeviceConvOptions& options) override {
    return std::make_unique<Conv>(ForwardingDevice::make_conv(problem, options), passes);
  }
  std::vector<Pass> passes;

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
};

QTEST_GUILESS_MAIN(MeasureTest)
#include "measure_test.moc"
