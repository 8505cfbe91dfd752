#include "engine/cluster/single_device.h"

namespace convoy {

SingleDevice::SingleDevice(Device& device, const std::vector<ConvProblem>& problems, bool measure,
                           const StopToken* stop)
    : share_(device, 0), layers_(problems.size()), stop_(stop) {
  DeviceConvOptions options;
  options.measure = measure;
  options.stop = stop;
  for (std::size_t layer = 0; layer < problems.size(); ++layer) {
    options.needs_grad_input = layer > 0;
    share_.configure(static_cast<int>(layer), problems[layer], options);
  }
}

void SingleDevice::forward(int layer, const LayerForward& operands) {
  share_.set_forward(layer, operands.input, operands.weight);
  share_.forward(layer, kAllPictures, -1, operands.output, stop_, slices_);
}

void SingleDevice::backward(int layer, const LayerBackward& operands) {
  share_.set_backward(layer, operands.grad_output);
  // In the order of WorkerProgram: the first pass pays for what both make of the gradient.
  if (operands.grad_input)
    share_.backward_data(layer, kAllPictures, -1, operands.grad_input, stop_, slices_);
  share_.backward_weights(layer, operands.grad_weight, stop_, slices_);
}

std::vector<std::array<double, 3>> SingleDevice::take_layer_ms() {
  std::vector<std::array<double, 3>> ms(layers_);
  for (const Slice& slice : slices_)
    ms.at(static_cast<std::size_t>(slice.layer))[static_cast<std::size_t>(slice.pass)] +=
        milliseconds(slice.end - slice.begin);
  slices_.clear();
  return ms;
}

double SingleDevice::take_conv_ms() {
  double sum = 0.0;
  for (const auto& layer : take_layer_ms()) sum += layer[0] + layer[1] + layer[2];
  return sum;
}

}  // namespace convoy
