#include "engine/device/cpu_device.h"

#include <algorithm>
#include <array>
#include <numeric>
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

// A step's passes, and the forms of operands that they share.
struct StepPlan {
  std::array<ChosenPlan, std::size(kAllPasses)> passes;
  std::array<std::size_t, std::size(kAllOperands)> shared_floats = {};

  const ChosenPlan& pass(Pass pass) const { return passes[static_cast<std::size_t>(pass)]; }
  bool work_in_parts(bool needs_grad_input) const {
    return pass(Pass::kForward).plan->works_in_parts() &&
           (!needs_grad_input || pass(Pass::kBackwardData).plan->works_in_parts());
  }
  std::size_t scratch_bytes() const {
    std::size_t most = 0;
    for (const ChosenPlan& chosen : passes) most = std::max(most, chosen.plan->scratch_bytes());
    return most;
  }
  std::size_t shared_bytes() const {
    return sizeof(float) *
           std::accumulate(shared_floats.begin(), shared_floats.end(), std::size_t{0});
  }
};

// What the passes that read an operand could share of it; 0 for nothing.
std::size_t shareable_floats(const StepPlan& step, Operand operand,
                             const DeviceConvOptions& options) {
  const ChosenPlan* first = nullptr;
  for (Pass pass : kAllPasses) {
    if (!reads(pass, operand) || (pass == Pass::kBackwardData && !options.needs_grad_input))
      continue;
    const ChosenPlan& reader = step.pass(pass);
    if (!first) {
      first = &reader;
      continue;
    }
    const std::size_t floats = reader.plan->shared_floats(operand);
    const bool alike = first->choice.algorithm == reader.choice.algorithm &&
                       first->plan->shared_floats(operand) == floats;
    return alike ? floats : 0;
  }
  // The parts of a pass share, too.
  return options.in_parts && first->plan->works_in_parts() ? first->plan->shared_floats(operand)
                                                           : 0;
}

StepPlan plan_step(const DeviceInfo& info, const ConvProblem& problem, std::size_t limit,
                   const AlgorithmChoices& choices, const DeviceConvOptions& options) {
  StepPlan step;
  const auto plan_passes = [&](OperandSet shared) {
    for (Pass pass : kAllPasses) {
      const auto index = static_cast<std::size_t>(pass);
      OperandSet of_pass;
      for (Operand operand : kAllOperands)
        of_pass[static_cast<std::size_t>(operand)] =
            reads(pass, operand) && shared[static_cast<std::size_t>(operand)];
      if (step.passes[index].plan && of_pass.none()) continue;
      step.passes[index] = {choices[index], choices[index].algorithm->plan(
                                                problem, pass, info.compute_units, limit, of_pass)};
    }
  };
  plan_passes({});
  // Sharing saves time and costs memory: no more than the limit leaves, and, where that is much, no
  // more than the layer itself takes with its gradients. The weights' transform is the largest for
  // its use.
  constexpr std::size_t kLittle = std::size_t{32} << 20;
  std::size_t left = limit - std::min(limit, step.scratch_bytes());
  OperandSet shared;
  std::array order = {Operand::kInput, Operand::kGradOutput, Operand::kWeight};
  if (options.in_parts && step.work_in_parts(options.needs_grad_input))
    std::swap(order.front(), order.back());  // every part would transform the weights
  else
    left = std::min(left, std::max(kLittle, 2 * sizeof(float) *
                                                (problem.input_size() + problem.output_size() +
                                                 problem.weight_size())));
  for (Operand operand : order) {
    const std::size_t floats = shareable_floats(step, operand, options);
    if (floats == 0 || floats * sizeof(float) > left) continue;
    left -= floats * sizeof(float);
    shared.set(static_cast<std::size_t>(operand));
    step.shared_floats[static_cast<std::size_t>(operand)] = floats;
  }
  plan_passes(shared);
  return step;
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
    if (floats > scratch.size()) resize(scratch, floats);
  }
  void resize(FloatBuffer& buffer, std::size_t floats) const {
    try {
      buffer.resize(floats);
    } catch (const Error&) {
      throw Error(ErrorKind::kDevice, info.id,
                  "no memory for " + std::to_string(floats * sizeof(float) / 1000000) +
                      " MB of scratch; a smaller batch or scratch limit needs less");
    }
  }
};

class CpuDevice::Conv : public DeviceConv {
 public:
  Conv(std::shared_ptr<State> state, const ConvProblem& problem, std::size_t scratch_limit,
       const AlgorithmChoices& choices, const DeviceConvOptions& options)
      : state_(std::move(state)),
        problem_(problem),
        plan_(plan_step(state_->info, problem_, scratch_limit, choices, options)),
        works_in_parts_(options.in_parts && plan_.work_in_parts(options.needs_grad_input) &&
                        plan_.shared_floats[static_cast<std::size_t>(Operand::kWeight)] > 0) {
    state_->reserve_scratch(plan_.scratch_bytes());
    for (std::size_t n = 0; n < memory_.size(); ++n) {
      state_->resize(memory_[n], plan_.shared_floats[n]);
      forms_[n].memory = memory_[n].span();
    }
  }

  const ConvProblem& problem() const override { return problem_; }

  void set_operand(Operand operand, const float* host) override {
    forms_[static_cast<std::size_t>(operand)].made = false;
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
    run_part(pass, {0, 0}, result, stop);
  }

  bool works_in_parts() const override { return works_in_parts_; }

  void run_part(Pass pass, Range pictures, float* result, const StopToken* stop) override {
    const bool ready = result && (pass == Pass::kForward || operands_.grad_output) &&
                       (pass == Pass::kBackwardData || operands_.input) &&
                       (pass == Pass::kBackwardWeights || operands_.weight);
    if (!ready)
      throw Error(ErrorKind::kDevice, state_->info.id,
                  std::string(pass_name(pass)) + " was run before its operands were set");
    ConvOperands operands = operands_;
    operands.result = result;
    operands.pictures = pictures;
    for (std::size_t n = 0; n < forms_.size(); ++n)
      if (!forms_[n].memory.empty()) operands.shared[n] = &forms_[n];
    const auto scratch = std::as_writable_bytes(state_->scratch.span());
    ConvPhases& phases = phases_[static_cast<std::size_t>(pass)];
    if (pictures.begin == 0) phases = {};
    plan_.pass(pass).plan->run(operands, scratch, state_->pool, stop, &phases);
  }

  std::string algorithm(Pass pass) const override {
    return plan_.pass(pass).choice.algorithm->name();
  }
  ChosenBy chosen_by(Pass pass) const override { return plan_.pass(pass).choice.chosen_by; }
  double executed_flops(Pass pass) const override {
    return plan_.pass(pass).plan->executed_flops();
  }
  ConvPhases phases(Pass pass) const override { return phases_[static_cast<std::size_t>(pass)]; }
  std::size_t scratch_bytes() const override {
    return plan_.scratch_bytes() + plan_.shared_bytes();
  }

 private:
  std::shared_ptr<State> state_;
  const ConvProblem problem_;
  const StepPlan plan_;
  const bool works_in_parts_;
  std::array<FloatBuffer, std::size(kAllOperands)> memory_;
  std::array<SharedForm, std::size(kAllOperands)> forms_;
  std::array<ConvPhases, std::size(kAllPasses)> phases_;
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
  return std::make_unique<Conv>(state_, problem, limit_of(state_->info, options), choices, options);
}

std::size_t CpuDevice::planned_scratch(const std::vector<ConvProblem>& layers,
                                       const DeviceConvOptions& options) {
  std::size_t scratch = 0, shared = 0;
  for (const ConvProblem& layer : layers) {
    const StepPlan step = plan_step(state_->info, layer, limit_of(state_->info, options),
                                    choose(layer, options, false), options);
    scratch = std::max(scratch, step.scratch_bytes());
    shared += step.shared_bytes();
  }
  return scratch + shared;
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
