#include "engine/device/cpu_device.h"

#include <algorithm>
#include <array>
#include <utility>

#include "engine/device/algorithm_choice.h"
#include "engine/device/cpu_topology.h"
#include "engine/tensor/blas.h"
#include "engine/tensor/buffer.h"

namespace convoy {
namespace {

std::size_t limit_of(const DeviceInfo& info, const DeviceConvOptions& options) {
  return options.scratch_limit > 0 ? options.scratch_limit : info.memory_bytes / 4;
}

struct ChosenPlan {
  AlgorithmChoice choice;
  std::unique_ptr<ConvPlan> plan;
};
using ChosenPlans = std::array<ChosenPlan, std::size(kAllPasses)>;

ChosenPlans make_plans(const DeviceInfo& info, const ConvProblem& problem, std::size_t limit,
                       const AlgorithmChoices& choices) {
  ChosenPlans plans;
  for (Pass pass : kAllPasses) {
    const AlgorithmChoice& choice = choices[static_cast<std::size_t>(pass)];
    plans[static_cast<std::size_t>(pass)] = {
        choice, choice.algorithm->plan(problem, pass, info.compute_units, limit)};
  }
  return plans;
}

std::size_t largest_scratch(const ChosenPlans& plans) {
  std::size_t most = 0;
  for (const ChosenPlan& plan : plans) most = std::max(most, plan.plan->scratch_bytes());
  return most;
}

}  // namespace

struct CpuDevice::State {
  DeviceInfo info;
  ThreadPool pool;
  FloatBuffer scratch;

  State(const std::string& id, const std::vector<int>& cores)
      : info(cpu_device_info(id, cores)), pool(cores) {}

  void reserve_scratch(std::size_t bytes) {
    const std::size_t floats = (bytes + sizeof(float) - 1) / sizeof(float);
    if (floats <= scratch.size()) return;
    try {
      scratch.resize(floats);
    } catch (const Error&) {
      throw Error(ErrorKind::kDevice, info.id,
                  "no memory for " + std::to_string(bytes >> 20) +
                      " MiB of scratch; a smaller batch or scratch limit needs less");
    }
  }
};

class CpuDevice::Conv : public DeviceConv {
 public:
  Conv(std::shared_ptr<State> state, const ConvProblem& problem, std::size_t scratch_limit,
       const AlgorithmChoices& choices)
      : state_(std::move(state)),
        problem_(problem),
        plans_(make_plans(state_->info, problem_, scratch_limit, choices)) {
    state_->reserve_scratch(scratch_bytes());
  }

  const ConvProblem& problem() const override { return problem_; }

  void set_operand(Operand operand, const float* host) override {
    switch (operand) {
      case Operand::kInput:
        operands_.input = host;
        return;
      case Operand::kWeight:
        operands_.weight = host;
        return;
      case Operand::kGradOutput:
        operands_.grad_output = host;
        return;
    }
  }

  void run(Pass pass, float* result, const StopToken* stop) override {
    const bool ready = result && (pass == Pass::kForward || operands_.grad_output) &&
                       (pass == Pass::kBackwardData || operands_.input) &&
                       (pass == Pass::kBackwardWeights || operands_.weight);
    if (!ready)
      throw Error(ErrorKind::kDevice, state_->info.id,
                  std::string(pass_name(pass)) + " was run before its operands were set");
    ConvOperands operands = operands_;
    operands.result = result;
    const ChosenPlan& chosen_plan = chosen(pass);
    const auto scratch = std::as_writable_bytes(state_->scratch.span());
    chosen_plan.plan->run(operands, scratch, state_->pool, stop);
  }

  std::string algorithm(Pass pass) const override { return chosen(pass).choice.algorithm->name(); }
  ChosenBy chosen_by(Pass pass) const override { return chosen(pass).choice.chosen_by; }
  double executed_flops(Pass pass) const override { return chosen(pass).plan->executed_flops(); }
  std::size_t scratch_bytes() const override { return largest_scratch(plans_); }

 private:
  const ChosenPlan& chosen(Pass pass) const { return plans_[static_cast<std::size_t>(pass)]; }

  std::shared_ptr<State> state_;
  const ConvProblem problem_;
  const ChosenPlans plans_;
  ConvOperands operands_;
};

DeviceInfo cpu_device_info(const std::string& id, const std::vector<int>& cores) {
  DeviceInfo info;
  info.id = id;
  info.name = processor_name();
  info.kind = DeviceKind::kCpu;
  info.backend = blas_version();
  info.driver = blas_kernels() + " kernels";
  info.compute_units = static_cast<int>(cores.size());
  info.memory_bytes = physical_memory_bytes();
  info.cores = cores;
  return info;
}

CpuDevice::CpuDevice(const std::string& id, const std::vector<int>& cores)
    : state_(std::make_shared<State>(id, cores)) {}
CpuDevice::~CpuDevice() = default;

const DeviceInfo& CpuDevice::info() const {
  return state_->info;
}

std::unique_ptr<DeviceConv> CpuDevice::make_conv(const ConvProblem& problem,
                                                 const DeviceConvOptions& options) {
  const AlgorithmChoices choices = choose(problem, options, true);
  return std::make_unique<Conv>(state_, problem, limit_of(state_->info, options), choices);
}

std::size_t CpuDevice::planned_scratch(const std::vector<ConvProblem>& layers,
                                       const DeviceConvOptions& options) {
  std::size_t most = 0;
  for (const ConvProblem& layer : layers) {
    const AlgorithmChoices choices = choose(layer, options, false);
    most = std::max(most, largest_scratch(make_plans(state_->info, layer,
                                                     limit_of(state_->info, options), choices)));
  }
  return most;
}

AlgorithmChoices CpuDevice::choose(const ConvProblem& problem, DeviceConvOptions options,
                                   bool may_measure) {
  problem.validate();
  options.scratch_limit = limit_of(state_->info, options);
  options.measure = options.measure && may_measure;
  const std::size_t scratch_before = state_->scratch.size();
  const auto make = [&](const std::array<std::string, 3>& algorithms) {
    DeviceConvOptions named = options;
    named.algorithms = algorithms;
    return make_conv(problem, named);
  };
  const AlgorithmChoices choices =
      choose_algorithms(state_->info, problem, options, shared_conv_choices(), make);
  // What only the losers of a measurement needed goes back.
  state_->scratch.resize(scratch_before);
  return choices;
}

ThreadPool* CpuDevice::host_pool() {
  return &state_->pool;
}

}  // namespace convoy
