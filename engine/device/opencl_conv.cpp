#include "engine/device/opencl_conv.h"

#include <algorithm>

namespace convoy {

OpenClConv::OpenClConv(const char* name, std::shared_ptr<OpenClContext> context,
                       const ConvProblem& problem, const std::string& product,
                       const OpenClLimits& limits, ChosenBy chosen_by)
    : context_(std::move(context)),
      problem_(problem),
      limits_(limits),
      queue_(context_->make_queue()),
      product_(make_product(product, *context_, queue_.get())),
      name_(name),
      chosen_by_(chosen_by) {}

OpenClConv::~OpenClConv() = default;

void OpenClConv::set_operand(Operand operand, const float* host) {
  hosts_[static_cast<int>(operand)] = host;
  forget(operand);
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

void OpenClConv::run(Pass pass, float* result, const StopToken* stop) {
  require_operands(pass, hosts_, context_->id());
  for (;;) {
    try {
      // In this order: the queues are finished before what is in place is dropped.
      struct DropInPlace {
        std::vector<ClBuffer>& buffers;
        ~DropInPlace() { buffers.clear(); }
      } drop_in_place{in_place_};
      OpenClRunningPass running(*context_, queue_.get(), limits_.staging, stop);
      run_pieces(pass, result, running);
      running.finish();
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

void OpenClConv::use_less_memory(const OutOfDeviceMemory& reason) {
  const std::size_t used = memory().total;
  for (const Operand operand : kAllOperands) forget(operand);
  release();
  product_->release();
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
