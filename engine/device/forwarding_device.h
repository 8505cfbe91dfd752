// A device, or its convolution, that hands everything on to another one: to derive from where one
// thing is to be different.
#pragma once

#include <memory>
#include <utility>

#include "engine/device/device.h"

namespace convoy {

class ForwardingConv : public DeviceConv {
 public:
  explicit ForwardingConv(std::unique_ptr<DeviceConv> inner) : inner_(std::move(inner)) {}

  const ConvProblem& problem() const override { return inner_->problem(); }
  void set_operand(Operand operand, const float* host) override {
    inner_->set_operand(operand, host);
  }
  void run(Pass pass, float* result, const StopToken* stop) override {
    inner_->run(pass, result, stop);
  }
  // Who overrides run() has to override these two as well: a pass may be computed either way.
  bool works_in_parts() const override { return inner_->works_in_parts(); }
  void run_part(Pass pass, Range pictures, float* result, const StopToken* stop) override {
    inner_->run_part(pass, pictures, result, stop);
  }
  bool pools() const override { return inner_->pools(); }
  void set_bias(const float* bias, bool training) override { inner_->set_bias(bias, training); }
  void set_grad_bias(float* grad_bias) override { inner_->set_grad_bias(grad_bias); }
  std::string algorithm(Pass pass) const override { return inner_->algorithm(pass); }
  ChosenBy chosen_by(Pass pass) const override { return inner_->chosen_by(pass); }
  double executed_flops(Pass pass) const override { return inner_->executed_flops(pass); }
  ConvPhases phases(Pass pass) const override { return inner_->phases(pass); }
  std::size_t scratch_bytes() const override { return inner_->scratch_bytes(); }

 private:
  std::unique_ptr<DeviceConv> inner_;
};

class ForwardingDevice : public Device {
 public:
  explicit ForwardingDevice(std::unique_ptr<Device> inner) : inner_(std::move(inner)) {}

  const DeviceInfo& info() const override { return inner_->info(); }
  std::unique_ptr<DeviceConv> make_conv(const ConvProblem& problem,
                                        const DeviceConvOptions& options) override {
    return inner_->make_conv(problem, options);
  }
  std::size_t planned_scratch(const std::vector<ConvProblem>& layers,
                              const DeviceConvOptions& options) override {
    return inner_->planned_scratch(layers, options);
  }
  ThreadPool* host_pool() override { return inner_->host_pool(); }
  void for_each(std::size_t count, const std::function<void(std::size_t)>& work,
                const StopToken* stop) override {
    inner_->for_each(count, work, stop);
  }

 private:
  std::unique_ptr<Device> inner_;
};

}  // namespace convoy
