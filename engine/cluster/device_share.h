// A device's share of every convolutional layer, with a slice on the timeline for each pass.
#pragma once

#include <memory>
#include <vector>

#include "engine/conv/timeline.h"
#include "engine/device/device.h"

namespace convoy {

// Compute is measured here, before any wait for a link or another device. Used by one thread at a
// time. Operands are host memory in the shapes of the share's ConvProblem.
class DeviceShare {
 public:
  // `index` is the device's place in the experiment, for the slices. The device must outlive the
  // share.
  DeviceShare(Device& device, int index);

  // From now on the layer has this problem: as many out_channels as the device has kernels of it.
  void configure(int layer, const ConvProblem& problem, const DeviceConvOptions& options = {});
  // The device has no kernel of this layer.
  void leave_out(int layer);
  bool takes_part(int layer) const;
  const ConvProblem& problem(int layer) const;

  // `input` and `weight` must stay valid until the layer's backward passes are done.
  void forward(int layer, const float* input, const float* weight, float* output,
               const StopToken* stop, std::vector<Slice>& slices);
  void backward_weights(int layer, const float* grad_output, float* grad_weight,
                        const StopToken* stop, std::vector<Slice>& slices);
  // Of the grad_output that backward_weights() was given.
  void backward_data(int layer, float* grad_input, const StopToken* stop,
                     std::vector<Slice>& slices);

 private:
  DeviceConv& conv(int layer) const { return *convs_.at(static_cast<std::size_t>(layer)); }

  Device& device_;
  int index_;
  std::vector<std::unique_ptr<DeviceConv>> convs_;  // null where the device has no kernel
};

}  // namespace convoy
