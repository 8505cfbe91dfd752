// A device's share of every convolutional layer, with a slice on the timeline for each pass.
#pragma once

#include <memory>
#include <vector>

#include "engine/conv/timeline.h"
#include "engine/device/device.h"

namespace convoy {

// All pictures of a share's batch.
inline constexpr Range kAllPictures{0, 0};

// Compute is measured here, before any wait for a link or another device. Used by one thread at a
// time. Operands are host memory in the shapes of the share's ConvProblem; they must stay valid
// until the layer's backward passes are done.
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
  // Whether the layer's forward and backward-data may be asked for parts of the pictures, as
  // DeviceConv::run_part() has it.
  bool works_in_parts(int layer) const;

  // Whether the device pools the layer, as DeviceConv::pools() has it; then forward and backward
  // are about pooled maps.
  bool pools(int layer) const;

  void set_forward(int layer, const float* input, const float* weight);
  void set_backward(int layer, const float* grad_output);
  // Of a layer that the device pools.
  void set_bias(int layer, const float* bias, bool training);
  void set_grad_bias(int layer, float* grad_bias);
  // Of what was set. `chunk` is for the slice.
  void forward(int layer, Range pictures, int chunk, float* output, const StopToken* stop,
               std::vector<Slice>& slices);
  void backward_data(int layer, Range pictures, int chunk, float* grad_input, const StopToken* stop,
                     std::vector<Slice>& slices);
  void backward_weights(int layer, float* grad_weight, const StopToken* stop,
                        std::vector<Slice>& slices);

 private:
  DeviceConv& conv(int layer) const { return *convs_.at(static_cast<std::size_t>(layer)); }
  void run(int layer, Pass pass, Range pictures, int chunk, float* result, const StopToken* stop,
           std::vector<Slice>& slices);

  Device& device_;
  int index_;
  std::vector<std::unique_ptr<DeviceConv>> convs_;  // null where the device has no kernel
  SteadyClock::duration owed_{};                    // by set_...(), to the next pass
};

}  // namespace convoy
