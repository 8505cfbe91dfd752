// The convolutional layers of a network on one device, with no link: what a distribution is
// compared with.
#pragma once

#include <array>
#include <vector>

#include "engine/cluster/device_share.h"
#include "engine/conv/conv_executor.h"

namespace convoy {

class SingleDevice : public ConvExecutor {
 public:
  // With `measure` the device times its algorithms where it has not before, as in calibration. The
  // device, and `stop` (may be null), must outlive this.
  SingleDevice(Device& device, const std::vector<ConvProblem>& problems, bool measure,
               const StopToken* stop);

  void forward(int layer, const LayerForward& operands) override;
  void backward(int layer, const LayerBackward& operands) override;

  // What each layer took since the last call, by pass in the order of kAllPasses, in milliseconds.
  std::vector<std::array<double, 3>> take_layer_ms();
  // The same in all.
  double take_conv_ms();

 private:
  DeviceShare share_;
  std::size_t layers_;
  const StopToken* stop_;
  std::vector<Slice> slices_;
};

}  // namespace convoy
