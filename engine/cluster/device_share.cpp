#include "engine/cluster/device_share.h"

#include <utility>

namespace convoy {

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

bool DeviceShare::works_in_parts(int layer) const {
  return conv(layer).works_in_parts();
}

bool DeviceShare::pools(int layer) const {
  return conv(layer).pools();
}

void DeviceShare::set_bias(int layer, const float* bias, bool training) {
  conv(layer).set_bias(bias, training);
}

void DeviceShare::set_grad_bias(int layer, float* grad_bias) {
  conv(layer).set_grad_bias(grad_bias);
}

void DeviceShare::set_forward(int layer, const float* input, const float* weight) {
  const TimePoint begin = SteadyClock::now();
  conv(layer).set_operand(Operand::kInput, input);
  conv(layer).set_operand(Operand::kWeight, weight);
  owed_ += SteadyClock::now() - begin;
}

void DeviceShare::set_backward(int layer, const float* grad_output) {
  const TimePoint begin = SteadyClock::now();
  conv(layer).set_operand(Operand::kGradOutput, grad_output);
  owed_ += SteadyClock::now() - begin;
}

void DeviceShare::forward(int layer, Range pictures, int chunk, float* output,
                          const StopToken* stop, std::vector<Slice>& slices) {
  run(layer, Pass::kForward, pictures, chunk, output, stop, slices);
}

void DeviceShare::backward_data(int layer, Range pictures, int chunk, float* grad_input,
                                const StopToken* stop, std::vector<Slice>& slices) {
  run(layer, Pass::kBackwardData, pictures, chunk, grad_input, stop, slices);
}

void DeviceShare::backward_weights(int layer, float* grad_weight, const StopToken* stop,
                                   std::vector<Slice>& slices) {
  run(layer, Pass::kBackwardWeights, kAllPictures, -1, grad_weight, stop, slices);
}

void DeviceShare::run(int layer, Pass pass, Range pictures, int chunk, float* result,
                      const StopToken* stop, std::vector<Slice>& slices) {
  Slice slice;
  slice.device = index_;
  slice.layer = layer;
  slice.pass = pass;
  slice.activity = Activity::kCompute;
  slice.chunk = chunk;
  // What setting the operands took comes right before.
  slice.begin = SteadyClock::now() - std::exchange(owed_, {});
  if (pictures.size() == 0)
    conv(layer).run(pass, result, stop);
  else
    conv(layer).run_part(pass, pictures, result, stop);
  slice.end = SteadyClock::now();
  slices.push_back(slice);
}

}  // namespace convoy
