// One layer's share on an OpenCL device, by any algorithm: what they all do alike.
//
// Operands travel when a pass first needs them and then stay on the device, unless they are cut
// into blocks. Sums are always made in the same order: a result depends on the device, the
// algorithm and the limits, not on timing.
#pragma once

#include <array>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "engine/device/device.h"
#include "engine/device/opencl_plan.h"
#include "engine/device/opencl_pooling.h"
#include "engine/device/opencl_running_pass.h"

namespace convoy {

class OpenClConv : public DeviceConv {
 public:
  ~OpenClConv() override;

  const ConvProblem& problem() const override { return problem_; }
  void set_operand(Operand operand, const float* host) override;
  // Where the device runs out of memory, the layer is cut smaller and the pass begins again.
  void run(Pass pass, float* result, const StopToken* stop) override {
    run_some(pass, {0, problem_.batch}, result, stop);
  }
  bool works_in_parts() const override {
    return limits_.in_parts && product_->columns_are_independent();
  }
  // To the bit what run() computes.
  void run_part(Pass pass, Range pictures, float* result, const StopToken* stop) override;
  bool pools() const override { return pooling_ != nullptr; }
  void set_bias(const float* bias, bool training) override;
  void set_grad_bias(float* grad_bias) override;
  std::string algorithm(Pass pass) const override;
  ChosenBy chosen_by(Pass pass) const override {
    return chosen_by_[static_cast<std::size_t>(pass)];
  }
  std::size_t scratch_bytes() const override;

  void set_chosen_by(Pass pass, ChosenBy chosen_by) {
    chosen_by_[static_cast<std::size_t>(pass)] = chosen_by;
  }
  // Of all buffers, as the layer is cut, with what pooling holds.
  std::size_t device_bytes() const { return memory().total + pooling_bytes(); }
  std::size_t pooling_bytes() const { return pooling_ ? pooling_->held_bytes() : 0; }
  // All of it; the next pass takes anew what it needs, and operands travel again.
  void give_memory_back();
  // What gives back memory of others on the device: done when a pass finds none, beside cutting the
  // layer smaller.
  void set_relief(std::function<void()> relief) { relief_ = std::move(relief); }

 protected:
  // `product` is one of product_names(). `pooling`, of this problem and context, may be null.
  // Throws Error(kDevice).
  OpenClConv(const char* name, std::shared_ptr<OpenClContext> context, const ConvProblem& problem,
             const std::string& product, const OpenClLimits& limits, ChosenBy chosen_by,
             std::shared_ptr<OpenClPooling> pooling);

  // Of these pictures; backward-weights always of all.
  virtual void run_pieces(Pass pass, const OpenClBlock& pictures, float* result,
                          OpenClRunningPass& running) = 0;
  // What the device holds of an operand is not to be used again.
  virtual void forget(Operand operand) = 0;
  // Gives all memory on the device back but the product's, which is no part of this.
  virtual void release() = 0;
  // Cuts the layer by `limits_`. Throws Error(kDevice) when nothing fits.
  virtual void plan() = 0;
  // Of the layer as it is cut.
  virtual OpenClMemory memory() const = 0;

  ProductScratch product_scratch() const;
  const float* host(Operand operand) const { return hosts_[static_cast<int>(operand)]; }
  cl_mem wrap_for_this_pass(float* memory, std::size_t bytes);
  // What a block's output maps, and the gradient of them, are to the host.
  HostPart part_of_maps(const OpenClBlock& pictures, const OpenClBlock& kernels) const;
  // Of a layer that pools; both on `some` of a block's kernels. A block's gradients must be
  // unpooled in the order of its pictures.
  void pool(cl_mem maps, cl_mem pooled, const OpenClBlock& pictures, const OpenClBlock& kernels,
            const OpenClBlock& some);
  void unpool(cl_mem grad_pooled, cl_mem grad_maps, const OpenClBlock& pictures,
              const OpenClBlock& kernels, const OpenClBlock& some);

  std::shared_ptr<OpenClContext> context_;
  ConvProblem problem_;
  OpenClLimits limits_;  // without what pooling holds
  ClQueue queue_;
  std::unique_ptr<MatrixProduct> product_;
  const std::shared_ptr<OpenClPooling> pooling_;  // null where the layer does not pool here

 private:
  void run_some(Pass pass, const OpenClBlock& pictures, float* result, const StopToken* stop);
  void use_less_memory(const OutOfDeviceMemory& reason);
  void require_for_pooling(Pass pass) const;

  const char* name_;
  std::array<ChosenBy, 3> chosen_by_;  // by pass, in the order of kAllPasses
  std::function<void()> relief_;
  const float* hosts_[3] = {};
  float* host_grad_bias_ = nullptr;
  GrowingBuffer grad_bias_;         // sums of what has been unpooled last
  std::vector<ClBuffer> in_place_;  // the host's memory, those of this pass
};

}  // namespace convoy
