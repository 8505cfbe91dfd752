#include "engine/device/cpu_device.h"

#include <algorithm>
#include <array>
#include <utility>

#include "engine/conv/conv_algorithm.h"
#include "engine/device/cpu_topology.h"
#include "engine/tensor/blas.h"
#include "engine/tensor/buffer.h"

namespace convoy {
namespace {

struct ChosenPlan {
  const ConvAlgorithm* algorithm = nullptr;
  std::unique_ptr<ConvPlan> plan;
};

const ConvAlgorithm& algorithm_named(const std::string& name) {
  if (const ConvAlgorithm* algorithm = find_conv_algorithm(name)) return *algorithm;
  std::string names;
  for (const ConvAlgorithm* algorithm : conv_algorithms())
    names += (names.empty() ? "" : ", ") + std::string(algorithm->name());
  throw Error(ErrorKind::kUsage, "algorithm",
              "there is no convolution algorithm \"" + name + "\"; choose one of " + names);
}

ChosenPlan try_plan(const ConvAlgorithm& algorithm, const ConvProblem& problem, Pass pass,
                    int threads, std::size_t limit) {
  if (!algorithm.supports(problem, pass)) return {};
  return {&algorithm, algorithm.plan(problem, pass, threads, limit)};
}

ChosenPlan choose_plan(const DeviceInfo& info, const ConvProblem& problem, Pass pass,
                       const std::string& name, std::size_t limit) {
  const int threads = info.compute_units;
  if (name.empty()) {
    for (const ConvAlgorithm* algorithm : ranked_conv_algorithms(problem, pass, threads))
      if (ChosenPlan chosen = try_plan(*algorithm, problem, pass, threads, limit); chosen.plan)
        return chosen;
  } else if (ChosenPlan chosen = try_plan(algorithm_named(name), problem, pass, threads, limit);
             chosen.plan) {
    return chosen;
  }
  const std::string who =
      name.empty() ? "no algorithm can" : "the algorithm \"" + name + "\" cannot";
  throw Error(ErrorKind::kDevice, info.id,
              who + " do " + pass_name(pass) + " of " + problem.describe() + " within " +
                  std::to_string(limit) +
                  " bytes of scratch memory; allow more, or choose another algorithm");
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
  Conv(std::shared_ptr<State> state, const ConvProblem& problem, const DeviceConvOptions& options)
      : state_(std::move(state)), problem_(problem) {
    const std::size_t limit =
        options.scratch_limit > 0 ? options.scratch_limit : state_->info.memory_bytes / 4;
    for (Pass pass : kAllPasses)
      chosen(pass) = choose_plan(state_->info, problem_, pass, options.algorithm, limit);
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

  std::string algorithm(Pass pass) const override { return chosen(pass).algorithm->name(); }
  double executed_flops(Pass pass) const override { return chosen(pass).plan->executed_flops(); }
  std::size_t scratch_bytes() const override {
    std::size_t most = 0;
    for (const ChosenPlan& plan : plans_) most = std::max(most, plan.plan->scratch_bytes());
    return most;
  }

 private:
  ChosenPlan& chosen(Pass pass) { return plans_[static_cast<std::size_t>(pass)]; }
  const ChosenPlan& chosen(Pass pass) const { return plans_[static_cast<std::size_t>(pass)]; }

  std::shared_ptr<State> state_;
  const ConvProblem problem_;
  std::array<ChosenPlan, std::size(kAllPasses)> plans_;
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
  problem.validate();
  return std::make_unique<Conv>(state_, problem, options);
}

ThreadPool* CpuDevice::host_pool() {
  return &state_->pool;
}

}  // namespace convoy
