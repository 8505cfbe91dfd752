// One layer's part of a training step on made-up operands, for measuring how long it takes.
#pragma once

#include <array>
#include <vector>

#include "engine/conv/timeline.h"
#include "engine/device/device.h"
#include "engine/tensor/buffer.h"

namespace convoy {

struct StepTimes {
  std::array<double, 3> pass_ms = {};  // in the order of kAllPasses
  double step_ms = 0.0;                // of all of them together
};

// Used by one thread.
class ConvStep {
 public:
  explicit ConvStep(const ConvProblem& problem);

  // Runs the passes in a step's order: what a device uploads or transforms counts where it happens.
  // Milliseconds by pass, in the order of kAllPasses; backward-data is 0 where it is not needed.
  // Where there are `parts` of the pictures, and the device works in parts, forward and
  // backward-data are run so. Pools where `conv` does. `stop` may be null.
  std::array<double, 3> run(DeviceConv& conv, bool needs_grad_input, const StopToken* stop,
                            const std::vector<Range>& parts = {});
  // The two halves of it, for whoever does other work in between; into the passes' places of `ms`.
  void forward(DeviceConv& conv, const StopToken* stop, const std::vector<Range>& parts,
               std::array<double, 3>& ms);
  void backward(DeviceConv& conv, bool needs_grad_input, const StopToken* stop,
                const std::vector<Range>& parts, std::array<double, 3>& ms);

  // The least of each pass in a few such runs after one to warm up, and their sum: hardly any whole
  // step of a busy machine is undisturbed, but most passes are once. More runs where they are over
  // at once, fewer where a step is far behind one of `best_ms`.
  StepTimes least_times(DeviceConv& conv, bool needs_grad_input, const StopToken* stop,
                        double best_ms);

  // What the forward pass fills and what the backward ones read: maps of the layer's output.
  float* output() { return result_.data(); }
  float* grad_output() { return grad_output_.data(); }

 private:
  double timed(DeviceConv& conv, Pass pass, const StopToken* stop, const std::vector<Range>& parts,
               TimePoint begin);

  FloatBuffer input_, weight_, grad_output_;
  FloatBuffer bias_, grad_bias_;
  FloatBuffer result_;  // of every pass
};

}  // namespace convoy
