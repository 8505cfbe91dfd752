#include "engine/device/opencl_mixed_conv.h"

#include <algorithm>
#include <numeric>

namespace convoy {

OpenClMixedConv::OpenClMixedConv(const std::array<std::string, 3>& names,
                                 const OpenClLimits& limits, const Make& make) {
  std::vector<std::string> different;
  for (std::size_t pass = 0; pass < names.size(); ++pass) {
    const auto found = std::ranges::find(different, names[pass]);
    of_pass_[pass] = static_cast<std::size_t>(found - different.begin());
    if (found == different.end()) different.push_back(names[pass]);
  }
  for (const std::string& name : different) convs_.push_back(make(name, limits));

  std::vector<std::size_t> order(convs_.size());  // those that need least first
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::sort(order, {}, [&](std::size_t i) { return convs_[i]->device_bytes(); });
  std::size_t left = limits.total, others = order.size();
  for (const std::size_t i : order) {
    OpenClLimits own = limits;
    own.total = left / others--;
    if (convs_[i]->device_bytes() > own.total) convs_[i] = make(different[i], own);
    left -= convs_[i]->device_bytes();
  }

  // What one of them cannot have, another may hold.
  for (const auto& conv : convs_)
    conv->set_relief([this, needy = conv.get()] {
      for (const auto& other : convs_)
        if (other.get() != needy) other->give_memory_back();
    });
}

bool OpenClMixedConv::reads_operand(std::size_t conv, Operand operand) const {
  return std::ranges::any_of(kAllPasses, [&](Pass pass) {
    return of_pass_[static_cast<std::size_t>(pass)] == conv && reads(pass, operand);
  });
}

void OpenClMixedConv::set_operand(Operand operand, const float* host) {
  for (std::size_t i = 0; i < convs_.size(); ++i)
    if (reads_operand(i, operand)) convs_[i]->set_operand(operand, host);
}

void OpenClMixedConv::run(Pass pass, float* result, const StopToken* stop) {
  of(pass).run(pass, result, stop);
}

void OpenClMixedConv::run_part(Pass pass, Range pictures, float* result, const StopToken* stop) {
  of(pass).run_part(pass, pictures, result, stop);
}

void OpenClMixedConv::set_bias(const float* bias, bool training) {
  of(Pass::kForward).set_bias(bias, training);
}

void OpenClMixedConv::set_grad_bias(float* grad_bias) {
  of(Pass::kBackwardWeights).set_grad_bias(grad_bias);
}

std::size_t OpenClMixedConv::scratch_bytes() const {
  std::size_t sum = 0;
  for (const auto& conv : convs_) sum += conv->scratch_bytes();
  return sum - (convs_.size() - 1) * convs_.front()->pooling_bytes();  // which they share
}

std::size_t OpenClMixedConv::device_bytes() const {
  std::size_t sum = 0;
  for (const auto& conv : convs_) sum += conv->device_bytes();
  return sum - (convs_.size() - 1) * convs_.front()->pooling_bytes();
}

}  // namespace convoy
