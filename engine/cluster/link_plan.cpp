#include "engine/cluster/link_plan.h"

#include <cstdio>
#include <limits>
#include <utility>

#include "engine/cluster/chunks.h"
#include "engine/cluster/division.h"
#include "engine/cluster/quarantine.h"

namespace convoy {
namespace {

// Of weights that are updated by the device, or on the master for all.
bool resides(const LayerPlan& layer, const DistributionOptions& options) {
  return options.resident_kernels && layer.split == SplitMode::kKernels;
}

// `layer` must outlive it.
SplitLayer split_layer(const LayerPlan& layer, const std::vector<LinkSettings>& links,
                       const DistributionOptions& options, const std::vector<bool>& available) {
  SplitLayer split;
  split.split = layer.split;
  split.needs_grad_input = layer.needs_grad_input;
  split.whole = layer.whole();
  split.costs = layer.cost;
  for (std::size_t i = 0; i < available.size(); ++i)
    if (!available[i]) split.costs[i].ms_per_kernel = std::numeric_limits<double>::infinity();
  split.part = [&layer, &links, &options](std::size_t device, int count) {
    PartWork part = planned_part(layer, device, count);
    if (device > 0 && !layer.cut_ms.empty())
      part = with_best_cuts({layer.split, layer.needs_grad_input, {}}, part, links[device], options,
                            kCalibrationNoise);
    if (resides(layer, options))
      part.update_ms = resident_update_ms(part, 0.0, layer.problem.out_channels);
    return part;
  };
  if (options.resident_kernels && !resides(layer, options)) {
    PartWork whole;
    whole.problem = layer.problem;
    whole.moving = layer.measured[0].moving;
    split.master_ms = resident_update_ms(whole, 0.0, layer.problem.out_channels);
  }
  return split;
}

struct DividedPlan {
  LayerPlan layer;
  double ms = 0.0;
};

DividedPlan divided_plan(LayerPlan layer, const std::vector<LinkSettings>& links,
                         const DistributionOptions& options, const SharePolicy& policy,
                         const std::vector<bool>& available) {
  const SplitLayer split = split_layer(layer, links, options, available);
  const Division division =
      policy.calibrated ? best_division(split, links, options)
                        : divided(split, share_out(layer, policy, available), links, options);
  LayerPlan result = layer;
  result.set_counts(division.counts);
  return {std::move(result), division.ms};
}

// So that shares that are made anew with nothing changed are the same again.
LayerPlan with_link_cost(LayerPlan layer, const std::vector<bool>& available) {
  std::vector<ShareCost> costs;
  std::vector<int> counts;
  for (std::size_t i = 0; i < available.size(); ++i) {
    if (!available[i]) continue;
    costs.push_back(layer.cost[i]);
    counts.push_back(layer.counts()[i]);
  }
  const double each = static_cast<double>(layer.whole()) / static_cast<double>(costs.size());
  const std::vector<ShareCost> added = costs_that_give(counts, without_noise(costs, each));
  layer.link_cost.assign(available.size(), {});
  for (std::size_t i = 0, next = 0; i < available.size(); ++i)
    if (available[i]) layer.link_cost[i] = added[next++];
  return layer;
}

}  // namespace

ClusterPlan with_links(ClusterPlan plan, const std::vector<LinkSettings>& links,
                       const DistributionOptions& options, const SharePolicy& policy,
                       const std::vector<bool>& available, Splits splits,
                       std::vector<std::string>& notes) {
  const bool automatic = options.split == SplitMode::kAuto;
  std::string told;  // of all layers at once
  for (std::size_t number = 0; automatic && number < plan.layers.size(); ++number) {
    LayerPlan& layer = plan.layers[number];
    DividedPlan best = divided_plan(layer, links, options, policy, available);
    if (layer.other_split && splits != Splits::kKeep) {
      const SplitMode was = layer.split;
      DividedPlan other = divided_plan(*layer.other_split, links, options, policy, available);
      const double kernels_ms = was == SplitMode::kKernels ? best.ms : other.ms;
      const double batch_ms = was == SplitMode::kKernels ? other.ms : best.ms;
      if (other.ms < best.ms) {
        layer.other_split.reset();
        other.layer.other_split = std::make_shared<const LayerPlan>(std::move(layer));
        best = std::move(other);
      }
      char text[128];
      std::snprintf(text, sizeof text,
                    "Layer %zu is split by %s: estimated %.3g ms by kernels, %.3g ms by batch.",
                    number + 1, split_mode_name(best.layer.split), kernels_ms, batch_ms);
      if (best.layer.split != was || splits == Splits::kChoose)
        told += (told.empty() ? "" : " ") + std::string(text);
    }
    layer = std::move(best.layer);
  }
  if (!told.empty()) notes.push_back(told);
  plan = with_best_cuts(std::move(plan), links, options, &notes);
  if (!automatic || !policy.calibrated) return replan(std::move(plan), policy, available);
  for (LayerPlan& layer : plan.layers) layer = with_link_cost(std::move(layer), available);
  return plan;
}

}  // namespace convoy
