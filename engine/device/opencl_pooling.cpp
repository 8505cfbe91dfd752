#include "engine/device/opencl_pooling.h"

#include <algorithm>

#include "engine/base/rounding.h"

namespace convoy {
namespace {

std::size_t choices_bytes(const ConvProblem& problem) {
  return problem.pooled_size();
}

std::size_t windows_of(const ConvProblem& problem) {
  return static_cast<std::size_t>(problem.out_height() / 2) * (problem.out_width() / 2);
}

}  // namespace

OpenClPooling::OpenClPooling(std::shared_ptr<OpenClContext> context, const ConvProblem& problem)
    : context_(std::move(context)), problem_(problem) {
  const OpenClDeviceEntry& entry = context_->entry();
  if (entry.info.kind == DeviceKind::kCpu) {
    lanes_ = entry.vector_width >= 16 ? 16 : entry.vector_width >= 8 ? 8 : 4;
  } else {
    constexpr std::size_t kMostItems = 256;
    while (2 * items_ <= std::min(entry.max_work_group, kMostItems)) items_ *= 2;
  }
  const std::string options =
      "-DLANES=" + std::to_string(lanes_) + " -DITEMS=" + std::to_string(items_);
  pool_ = context_->make_kernel("pooling.cl", options, "pool");
  unpool_ = context_->make_kernel("pooling.cl", options, "unpool");
  sum_gradient_ = context_->make_kernel("pooling.cl", options, "sum_gradient");
}

std::size_t OpenClPooling::held_bytes(const ConvProblem& problem) {
  return choices_bytes(problem) + 2 * bias_part(problem).bytes();  // bias and its gradient
}

std::size_t OpenClPooling::held_bytes() const {
  return held_bytes(problem_);
}

OpenClLimits OpenClPooling::limits_beside(OpenClLimits limits) const {
  const std::size_t held = held_bytes();
  if (held >= limits.total || choices_bytes(problem_) > limits.one_buffer)
    throw Error(ErrorKind::kDevice, context_->id(),
                "what pooling chooses in the layer " + problem_.describe() + " takes " +
                    std::to_string(held) + " bytes on the device; " + std::to_string(limits.total) +
                    " bytes and " + std::to_string(limits.one_buffer) +
                    " in one piece may be used");
  limits.total -= held;
  limits.pooling = true;
  return limits;
}

void OpenClPooling::set_bias(const float* bias, bool training) {
  host_bias_ = bias;
  training_ = training;
}

void OpenClPooling::require(Pass pass) const {
  const bool forward = pass == Pass::kForward;
  if (forward ? host_bias_ != nullptr : chosen_ == problem_.batch) return;
  throw Error(
      ErrorKind::kDevice, context_->id(),
      std::string(pass_name(pass)) + " of a layer that pools needs " +
          (forward ? "its bias, which has not been set"
                   : "what a forward pass has chosen, and there was none of all its pictures"));
}

void OpenClPooling::begin_forward(const OpenClBlock& pictures, OpenClRunningPass& running) {
  chosen_ = std::min(chosen_, pictures.first);
  choices_.reserve(*context_, choices_bytes(problem_));
  const HostPart part = bias_part(problem_);
  running.upload(bias_.reserve(*context_, part.bytes()), host_bias_, part);
}

void OpenClPooling::end_forward(const OpenClBlock& pictures) {
  if (training_ && chosen_ == pictures.first) chosen_ += pictures.count;
}

void OpenClPooling::pool(cl_command_queue queue, cl_mem maps, cl_mem pooled,
                         const OpenClBlock& pictures, const OpenClBlock& kernels,
                         const OpenClBlock& some) const {
  launch(*context_, queue, pool_,
         {ceil_div(static_cast<std::size_t>(pictures.count), lanes_), windows_of(problem_),
          static_cast<std::size_t>(some.count)},
         {}, maps, bias_.get(), pooled, choices_.get(), cl_int{problem_.out_height()},
         cl_int{problem_.out_width()}, cl_int{pictures.count}, cl_int{problem_.batch},
         cl_int{some.first}, cl_int{kernels.first}, cl_int{pictures.first}, cl_int{training_});
}

void OpenClPooling::unpool(cl_command_queue queue, cl_mem grad_pooled, cl_mem grad_maps,
                           cl_mem grad_bias, const OpenClBlock& pictures,
                           const OpenClBlock& kernels, const OpenClBlock& some) const {
  const auto count = static_cast<std::size_t>(some.count);
  const cl_int height = problem_.out_height(), width = problem_.out_width();
  const std::size_t cells =
      static_cast<std::size_t>((height + 1) / 2) * static_cast<std::size_t>((width + 1) / 2);
  launch(*context_, queue, unpool_,
         {ceil_div(static_cast<std::size_t>(pictures.count), lanes_), cells, count}, {},
         grad_pooled, choices_.get(), grad_maps, height, width, cl_int{pictures.count},
         cl_int{problem_.batch}, cl_int{some.first}, cl_int{kernels.first}, cl_int{pictures.first});
  launch(*context_, queue, sum_gradient_, {items_, count}, {items_, 1}, grad_pooled, choices_.get(),
         grad_bias, height, width, cl_int{pictures.count}, cl_int{problem_.batch},
         cl_int{some.first}, cl_int{kernels.first}, cl_int{pictures.first},
         cl_int{pictures.first > 0});
}

std::shared_ptr<OpenClPooling> make_opencl_pooling(const std::shared_ptr<OpenClContext>& context,
                                                   const ConvProblem& problem,
                                                   const OpenClLimits& limits) {
  if (problem.pooled_size() == 0) return nullptr;
  if (OpenClPooling::held_bytes(problem) > limits.total / 4 ||
      choices_bytes(problem) > limits.one_buffer)
    return nullptr;
  if (!checked_pooling(context).empty()) return nullptr;
  return std::make_shared<OpenClPooling>(context, problem);
}

}  // namespace convoy
