// The copy of what devices keep, for when one of them does not give it back.
#include <algorithm>
#include <cmath>

#include "engine/base/number_text.h"
#include "engine/cluster/traffic.h"
#include "engine/training/trainer_workspace.h"

namespace convoy {
namespace {

// Of workers: what a copy moves, and a step.
struct Moved {
  std::uint64_t copy = 0, step = 0;
};

Moved bytes_moved(const ClusterPlan& plan, const DistributionOptions& options) {
  Moved bytes;
  for (const LayerPlan& layer : plan.layers) {
    const std::vector<LayerPart> parts = layer.parts(options);
    for (std::size_t device = 1; device < parts.size(); ++device) {
      const LayerPart& part = parts[device];
      if (part.empty()) continue;
      const PartTraffic traffic =
          part_traffic(part.problem, layer.split, part.needs_grad_input, options);
      bytes.step += traffic.received() + traffic.sent();
      if (part.resident) bytes.copy += 2 * sizeof(float) * part.problem.weight_size();
    }
  }
  return bytes;
}

}  // namespace

int copy_interval(const ClusterPlan& plan, const DistributionOptions& options) {
  constexpr double kPartOfTraffic = 1.0 / 20;
  constexpr int kLeast = 10;
  const Moved bytes = bytes_moved(plan, options);
  if (bytes.step == 0) return kLeast;
  const double steps =
      static_cast<double>(bytes.copy) / (kPartOfTraffic * static_cast<double>(bytes.step));
  return std::max(kLeast, static_cast<int>(std::ceil(steps)));
}

bool Trainer::keeps_weights() const {
  return setup_.experiment.distribution.options.resident_kernels &&
         std::any_of(plan_.layers.begin(), plan_.layers.end(),
                     [](const LayerPlan& layer) { return layer.split == SplitMode::kKernels; });
}

void Trainer::tell_of_copies() const {
  const DistributionOptions& options = setup_.experiment.distribution.options;
  const int interval = copy_interval(plan_, options);
  const std::uint64_t bytes = bytes_moved(plan_, options).copy;
  if (bytes == 0 || interval >= setup_.steps) return;
  listeners_.message(Severity::kInfo,
                     "Every " + std::to_string(interval) +
                         " steps the master copies the weights that reside on devices (" +
                         number_text(std::round(static_cast<double>(bytes) / 1e5) / 10.0) +
                         " MB), for the case that one hangs; no step's time includes that.");
}

void Trainer::copy_state() {
  if (!keeps_weights() ||
      done_ - copy_->step < copy_interval(plan_, setup_.experiment.distribution.options))
    return;
  const int reached = done_;
  outlive_losses(reached + 1, "copying the weights", [&] {
    catch_up(reached);
    work_->model.fetch_state(*work_->convolutions);
  });
  cluster_.end_step();
  copy_.reset();  // two would be much memory
  copy_ = {reached, work_->model.training_state()};
}

void Trainer::go_back() {
  work_->convolutions.reset();
  work_->model.go_on_from(copy_->state);
  done_ = copy_->step;
}

}  // namespace convoy
