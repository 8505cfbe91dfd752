// One layer's share on an OpenCL device whose passes use different algorithms.
//
// Each algorithm is a convolution of its own that does the passes that are its; operands go only to
// those that read them. What two of them make of the same operand they do not share, so a mix costs
// memory and transfers that a single algorithm does not.
#pragma once

#include <array>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "engine/device/opencl_conv.h"

namespace convoy {

class OpenClMixedConv : public DeviceConv {
 public:
  // A convolution of the layer by the algorithm of this name, within the limits; with one and the
  // same OpenClPooling where the layer pools.
  using Make =
      std::function<std::unique_ptr<OpenClConv>(const std::string& name, const OpenClLimits&)>;

  // `names` by pass, in the order of kAllPasses. Together the convolutions stay within the limits'
  // total: where they would not, each gets an equal share of it, and those that need less leave the
  // rest to the others. Throws what `make` throws, and so when they do not fit.
  OpenClMixedConv(const std::array<std::string, 3>& names, const OpenClLimits& limits,
                  const Make& make);

  const ConvProblem& problem() const override { return convs_.front()->problem(); }
  void set_operand(Operand operand, const float* host) override;
  void run(Pass pass, float* result, const StopToken* stop) override;
  bool works_in_parts() const override {
    return of(Pass::kForward).works_in_parts() && of(Pass::kBackwardData).works_in_parts();
  }
  void run_part(Pass pass, Range pictures, float* result, const StopToken* stop) override;
  bool pools() const override { return convs_.front()->pools(); }
  void set_bias(const float* bias, bool training) override;
  void set_grad_bias(float* grad_bias) override;
  std::string algorithm(Pass pass) const override { return of(pass).algorithm(pass); }
  ChosenBy chosen_by(Pass pass) const override { return of(pass).chosen_by(pass); }
  double executed_flops(Pass pass) const override { return of(pass).executed_flops(pass); }
  std::size_t scratch_bytes() const override;

  OpenClConv& of(Pass pass) const { return *convs_[of_pass_[static_cast<std::size_t>(pass)]]; }
  // Bytes on the device, of all buffers of all convolutions.
  std::size_t device_bytes() const;

 private:
  bool reads_operand(std::size_t conv, Operand operand) const;

  std::vector<std::unique_ptr<OpenClConv>> convs_;
  std::array<std::size_t, 3> of_pass_ = {};  // which of them
};

}  // namespace convoy
