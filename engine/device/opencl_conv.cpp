#include "engine/device/opencl_conv.h"

#include <algorithm>

namespace convoy {

OpenClConv::OpenClConv(const char* name, std::shared_ptr<OpenClContext> context,
                       const ConvProblem& problem, const std::string& product,
                       const OpenClLimits& limits, ChosenBy chosen_by,
                       std::shared_ptr<OpenClPooling> pooling)
    : context_(std::move(context)),
      problem_(problem),
      limits_(pooling ? pooling->limits_beside(limits) : limits),
      queue_(context_->make_queue()),
      product_(make_product(product, *context_, queue_.get())),
      pooling_(std::move(pooling)),
      name_(name) {
  chosen_by_.fill(chosen_by);
}

OpenClConv::~OpenClConv() = default;

void OpenClConv::set_operand(Operand operand, const float* host) {
  hosts_[static_cast<int>(operand)] = host;
  forget(operand);
}

void OpenClConv::set_bias(const float* bias, bool training) {
  if (!pooling_) return DeviceConv::set_bias(bias, training);
  pooling_->set_bias(bias, training);
}

void OpenClConv::set_grad_bias(float* grad_bias) {
  if (!pooling_) return DeviceConv::set_grad_bias(grad_bias);
  host_grad_bias_ = grad_bias;
}

std::size_t OpenClConv::scratch_bytes() const {
  return memory().scratch + pooling_bytes();
}

std::string OpenClConv::algorithm(Pass) const {
  return std::string(name_) + "+" + product_->name();
}

ProductScratch OpenClConv::product_scratch() const {
  return [this](const ProductSize& size) { return product_->scratch_bytes(size); };
}

cl_mem OpenClConv::wrap_for_this_pass(float* memory, std::size_t bytes) {
  in_place_.push_back(context_->wrap_host(memory, bytes));
  return in_place_.back().get();
}

void OpenClConv::run_part(Pass pass, Range pictures, float* result, const StopToken* stop) {
  if (!works_in_parts() || pass == Pass::kBackwardWeights)
    return DeviceConv::run_part(pass, pictures, result, stop);
  run_some(pass, {static_cast<int>(pictures.begin), static_cast<int>(pictures.size())}, result,
           stop);
}

void OpenClConv::run_some(Pass pass, const OpenClBlock& pictures, float* result,
                          const StopToken* stop) {
  require_operands(pass, hosts_, context_->id());
  if (pooling_) require_for_pooling(pass);
  for (;;) {
    try {
      // In this order: the queues are finished before what is in place is dropped.
      struct DropInPlace {
        std::vector<ClBuffer>& buffers;
        ~DropInPlace() { buffers.clear(); }
      } drop_in_place{in_place_};
      OpenClRunningPass running(*context_, queue_.get(), limits_.staging, stop);
      if (pooling_ && pass == Pass::kForward) pooling_->begin_forward(pictures, running);
      run_pieces(pass, pictures, result, running);
      // The sums of what has been unpooled, by this pass or by backward-data before it.
      if (pooling_ && pass == Pass::kBackwardWeights)
        running.download(grad_bias_.get(), host_grad_bias_, bias_part(problem_));
      running.finish();
      if (pooling_ && pass == Pass::kForward) pooling_->end_forward(pictures);
      return;
    } catch (const OutOfDeviceMemory& reason) {
      use_less_memory(reason);
    } catch (const Interrupted&) {
      throw;
    } catch (...) {
      // What was queued may not have been done.
      context_->set_lost();
      for (const Operand operand : kAllOperands) forget(operand);
      throw;
    }
  }
}

HostPart OpenClConv::part_of_maps(const OpenClBlock& pictures, const OpenClBlock& kernels) const {
  return pooling_ ? pooled_part(problem_, pictures, kernels)
                  : output_part(problem_, pictures, kernels);
}

void OpenClConv::require_for_pooling(Pass pass) const {
  pooling_->require(pass);
  if (pass == Pass::kBackwardWeights && !host_grad_bias_)
    throw Error(ErrorKind::kDevice, context_->id(),
                "backward-weights of a layer that pools needs a place for the bias' gradient");
}

void OpenClConv::pool(cl_mem maps, cl_mem pooled, const OpenClBlock& pictures,
                      const OpenClBlock& kernels, const OpenClBlock& some) {
  pooling_->pool(queue_.get(), maps, pooled, pictures, kernels, some);
}

void OpenClConv::unpool(cl_mem grad_pooled, cl_mem grad_maps, const OpenClBlock& pictures,
                        const OpenClBlock& kernels, const OpenClBlock& some) {
  const cl_mem grad_bias = grad_bias_.reserve(*context_, bias_part(problem_).bytes());
  pooling_->unpool(queue_.get(), grad_pooled, grad_maps, grad_bias, pictures, kernels, some);
}

void OpenClConv::give_memory_back() {
  for (const Operand operand : kAllOperands) forget(operand);
  release();
  product_->release();
}

void OpenClConv::use_less_memory(const OutOfDeviceMemory& reason) {
  const std::size_t used = memory().total;
  give_memory_back();
  if (relief_) relief_();
  limits_.total = std::min(limits_.total, used) / 2;
  try {
    plan();
  } catch (const Error& error) {
    context_->set_lost();  // some drivers say so of a device that is lost
    throw Error(ErrorKind::kDevice, "",
                std::string(reason.what()) + ", and smaller pieces do not help: " + error.what());
  }
}

}  // namespace convoy
