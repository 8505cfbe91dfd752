#include "engine/training/run_setup.h"

#include <algorithm>
#include <cstdio>

#include "engine/network/weight_file.h"
#include "engine/training/memory_need.h"

namespace convoy {
namespace {

constexpr int kMostSteps = 1'000'000'000;  // as "steps" of an experiment

double gigabytes(std::uint64_t bytes) {
  return static_cast<double>(bytes) / 1e9;
}

// What the convolutions take beside their operands, in bytes of main memory.
struct ScratchNeed {
  std::uint64_t shares = 0;    // of all devices, each with its part
  std::uint64_t baseline = 0;  // of the one that needs most when it has all kernels
};

ScratchNeed scratch_need(const RunSetup& setup) {
  const auto devices = setup.devices.members.size();
  ScratchNeed need;
  for (std::size_t i = 0; i < devices; ++i) {
    Device& device = *setup.devices.members[i].device;
    const DistributionOptions& options = setup.experiment.distribution.options;
    std::vector<ConvProblem> by_kernels, by_batch;
    for (const ConvProblem& problem : setup.problems) {
      by_kernels.push_back(
          problem.with_kernels(first_counts(problem.out_channels, devices, setup.policy)[i]));
      by_batch.push_back(problem.with_batch(first_counts(problem.batch, devices, setup.policy)[i]));
    }
    DeviceConvOptions conv;
    conv.in_parts = options.overlap;
    conv.pooling = options.fuse_pooling;
    std::uint64_t share = 0;
    if (options.split != SplitMode::kBatch) share = device.planned_scratch(by_kernels, conv);
    if (options.split != SplitMode::kKernels)
      share = std::max<std::uint64_t>(share, device.planned_scratch(by_batch, conv));
    need.shares += share;
    if (setup.experiment.baseline != BaselineMode::kNone)
      need.baseline =
          std::max<std::uint64_t>(need.baseline, device.planned_scratch(setup.problems));
  }
  return need;
}

// Better refused here than ended by the system in the middle of the run.
void check_memory(const RunSetup& setup) {
  const ScratchNeed scratch = scratch_need(setup);
  const int devices = static_cast<int>(setup.devices.members.size());
  // The baseline's training is over when the distributed one begins.
  const std::uint64_t maps =
      memory_need(setup.spec, setup.batch_size, devices, setup.experiment.distribution.options);
  const std::uint64_t alone = memory_need(setup.spec, setup.batch_size, 1, {}) + scratch.baseline;
  const std::uint64_t need = std::max(maps, alone) + scratch.shares;
  const auto available = available_memory();
  if (!available || need <= *available) return;
  char text[240];
  std::snprintf(text, sizeof text,
                "is %d: with this network that needs about %.1f GB of memory, %.1f of them scratch "
                "of the devices, and %.1f GB are free; a smaller batch or network needs less, and "
                "a smaller scratch_limit_mb of the devices",
                setup.batch_size, gigabytes(need),
                gigabytes(scratch.shares + (alone > maps ? scratch.baseline : 0)),
                gigabytes(*available));
  throw Error(ErrorKind::kExperiment, "/training/batch_size", text);
}

int steps_of(int epochs, int steps_per_epoch) {
  const std::int64_t steps = std::int64_t{epochs} * steps_per_epoch;
  if (steps <= kMostSteps) return static_cast<int>(steps);
  throw Error(ErrorKind::kExperiment, "/training/epochs",
              "is " + std::to_string(epochs) + ": at " + std::to_string(steps_per_epoch) +
                  " steps an epoch that is " + std::to_string(steps) + " steps, and at most " +
                  std::to_string(kMostSteps) + " are possible; set it to at most " +
                  std::to_string(kMostSteps / steps_per_epoch));
}

SharePolicy policy_of(const DistributionSpec& distribution, std::size_t devices) {
  SharePolicy policy;
  policy.calibrated = distribution.shares == ShareMode::kCalibrated;
  policy.fractions = distribution.shares == ShareMode::kExplicit
                         ? distribution.fractions
                         : std::vector<double>(devices, 1.0 / static_cast<double>(devices));
  return policy;
}

}  // namespace

std::vector<std::string> RunSetup::device_names() const {
  std::vector<std::string> names;
  for (const RunDevice& device : devices.described) names.push_back(device.name);
  return names;
}

RunSetup prepare_run(Experiment given, const RunControl& control, const RunListeners& listeners) {
  RunSetup setup;
  Experiment& experiment = setup.experiment = std::move(given);
  if (experiment.devices.empty()) experiment.devices = default_devices();
  if (const auto moved = control.link()) experiment.link = *moved;
  validate(experiment, "");
  listeners.phase(RunPhase::kPreparing, "opening the devices", 0, 0);
  setup.devices = open_run_devices(experiment.devices, experiment.link, experiment.clock);
  setup.policy = policy_of(experiment.distribution, experiment.devices.size());

  listeners.phase(RunPhase::kPreparing, "loading the data", 0, 0);
  setup.data = load_dataset(experiment.dataset, experiment.seed, &control.stop_token());
  const ImageSet& train = setup.data.train;
  setup.batch_size = experiment.training.batch_size;
  if (train.count() < setup.batch_size)
    throw Error(ErrorKind::kExperiment, "/training/batch_size",
                "is " + std::to_string(setup.batch_size) + ", but there are only " +
                    std::to_string(train.count()) + " training pictures");
  setup.normalisation = normalisation_of(train);
  setup.spec = {experiment.network, train.channels, train.height, train.width,
                static_cast<int>(setup.data.class_names.size())};
  setup.problems = setup.spec.conv_problems(setup.batch_size);
  for (const ConvProblem& problem : setup.problems) problem.validate();
  check_memory(setup);
  setup.steps_per_epoch = train.count() / setup.batch_size;
  setup.steps = experiment.training.steps
                    ? *experiment.training.steps
                    : steps_of(*experiment.training.epochs, setup.steps_per_epoch);
  setup.initial = experiment.training.initial_weights.empty()
                      ? Parameters::he(setup.spec, experiment.seed)
                      : read_weights(experiment.training.initial_weights, setup.spec);
  return setup;
}

}  // namespace convoy
