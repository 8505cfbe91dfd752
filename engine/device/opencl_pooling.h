// Bias, ReLU and 2x2 pooling of a layer's share on an OpenCL device, and the way back;
// kernels/pooling.cl. The rules are those of engine/tensor/elementwise.h.
//
// What pooling chose stays on the device from the forward pass to the backward passes, a byte for
// each pooled value of the whole share, however the convolution is cut, and whichever computes a
// pass: several of the same problem and context may share one of these.
#pragma once

#include <memory>
#include <string>

#include "engine/device/opencl_launch.h"
#include "engine/device/opencl_plan.h"
#include "engine/device/opencl_running_pass.h"

namespace convoy {

// Used by one thread at a time. Errors are those of cl_check().
class OpenClPooling {
 public:
  // The problem must have windows to pool (pooled_size() above 0).
  OpenClPooling(std::shared_ptr<OpenClContext> context, const ConvProblem& problem);

  // Held on the device beside the maps.
  std::size_t held_bytes() const;
  static std::size_t held_bytes(const ConvProblem& problem);
  // What is left of the limits for a convolution that pools. Throws Error(kDevice).
  OpenClLimits limits_beside(OpenClLimits limits) const;

  // See DeviceConv.
  void set_bias(const float* bias, bool training);

  // Throws Error(kDevice) where what the pass needs has not been set or made.
  void require(Pass pass) const;
  // Around what a forward pass of these pictures enqueues. Only those of the whole batch, in one
  // pass or in parts from the first picture to the last, let the backward passes follow.
  void begin_forward(const OpenClBlock& pictures, OpenClRunningPass& running);
  void end_forward(const OpenClBlock& pictures);

  // Enqueue the work on `some` of a block's kernels. Buffers hold the maps of a block's kernels and
  // pictures, dense; with `grad_bias` that of the layer's kernels is set by the first block of
  // pictures and added to by those after it.
  void pool(cl_command_queue queue, cl_mem maps, cl_mem pooled, const OpenClBlock& pictures,
            const OpenClBlock& kernels, const OpenClBlock& some) const;
  void unpool(cl_command_queue queue, cl_mem grad_pooled, cl_mem grad_maps, cl_mem grad_bias,
              const OpenClBlock& pictures, const OpenClBlock& kernels,
              const OpenClBlock& some) const;

 private:
  std::shared_ptr<OpenClContext> context_;
  const ConvProblem problem_;
  std::size_t lanes_ = 1, items_ = 1;
  ClKernel pool_, unpool_, sum_gradient_;
  const float* host_bias_ = nullptr;
  bool training_ = false;
  int chosen_ = 0;  // pictures, from the first on, of which there are choices
  GrowingBuffer bias_, choices_;
};

// Whether the kernels are right on this device: odd maps in blocks against the host's arithmetic,
// to the bit. Empty, or what went wrong; remembered by the context. Throws what says nothing about
// the kernels: OutOfDeviceMemory and DeviceUnavailable.
std::string checked_pooling(const std::shared_ptr<OpenClContext>& context);

// Null where the device's computer is to pool: there are no windows, the kernels have failed their
// check (DeviceInfo::warnings says so), or more than a quarter of the memory would be held.
std::shared_ptr<OpenClPooling> make_opencl_pooling(const std::shared_ptr<OpenClContext>& context,
                                                   const ConvProblem& problem,
                                                   const OpenClLimits& limits);

}  // namespace convoy
