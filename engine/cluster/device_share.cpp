#include "engine/cluster/device_share.h"

namespace convoy {
namespace {

// Adds the time from its construction to its end as a compute slice.
class Measured {
 public:
  Measured(int device, int layer, Pass pass, std::vector<Slice>& slices)
      : slice_{device, layer, pass, Activity::kCompute, SteadyClock::now(), {}, 0},
        slices_(slices) {}
  void done() {
    slice_.end = SteadyClock::now();
    slices_.push_back(slice_);
  }

 private:
  Slice slice_;
  std::vector<Slice>& slices_;
};

}  // namespace

DeviceShare::DeviceShare(Device& device, int index) : device_(device), index_(index) {}

void DeviceShare::configure(int layer, const ConvProblem& problem,
                            const DeviceConvOptions& options) {
  const auto place = static_cast<std::size_t>(layer);
  if (convs_.size() <= place) convs_.resize(place + 1);
  convs_[place].reset();  // its memory first
  convs_[place] = device_.make_conv(problem, options);
}

void DeviceShare::leave_out(int layer) {
  const auto place = static_cast<std::size_t>(layer);
  if (convs_.size() <= place) convs_.resize(place + 1);
  convs_[place].reset();
}

bool DeviceShare::takes_part(int layer) const {
  const auto place = static_cast<std::size_t>(layer);
  return place < convs_.size() && convs_[place] != nullptr;
}

const ConvProblem& DeviceShare::problem(int layer) const {
  return conv(layer).problem();
}

void DeviceShare::forward(int layer, const float* input, const float* weight, float* output,
                          const StopToken* stop, std::vector<Slice>& slices) {
  Measured measured(index_, layer, Pass::kForward, slices);
  conv(layer).set_operand(Operand::kInput, input);
  conv(layer).set_operand(Operand::kWeight, weight);
  conv(layer).run(Pass::kForward, output, stop);
  measured.done();
}

void DeviceShare::backward_weights(int layer, const float* grad_output, float* grad_weight,
                                   const StopToken* stop, std::vector<Slice>& slices) {
  Measured measured(index_, layer, Pass::kBackwardWeights, slices);
  conv(layer).set_operand(Operand::kGradOutput, grad_output);
  conv(layer).run(Pass::kBackwardWeights, grad_weight, stop);
  measured.done();
}

void DeviceShare::backward_data(int layer, float* grad_input, const StopToken* stop,
                                std::vector<Slice>& slices) {
  Measured measured(index_, layer, Pass::kBackwardData, slices);
  conv(layer).run(Pass::kBackwardData, grad_input, stop);
  measured.done();
}

}  // namespace convoy
