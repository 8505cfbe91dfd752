#include "engine/cluster/chunks.h"

#include <algorithm>
#include <cstdio>
#include <limits>

#include "engine/cluster/quarantine.h"

namespace convoy {
namespace {

ClusterPlan alone(const LayerPlan& layer) {
  ClusterPlan plan;
  plan.layers.push_back(layer);
  return plan;
}

// "in one piece", "in 2 chunks", "in 1 to 4 chunks": what the workers do in an exchange.
std::string manner(const LayerPlan& layer, Cuts ChunkCuts::*exchange) {
  std::size_t least = SIZE_MAX, most = 0;
  for (std::size_t device = 1; device < layer.cuts.size(); ++device) {
    if (layer.counts()[device] == 0) continue;
    const std::size_t chunks =
        batch_chunks({0, layer.pictures[device]}, layer.cuts[device].*exchange).size();
    least = std::min(least, chunks);
    most = std::max(most, chunks);
  }
  if (most <= 1) return "in one piece";
  const std::string range =
      least == most ? std::to_string(most) : std::to_string(least) + " to " + std::to_string(most);
  return "in " + range + " chunks";
}

}  // namespace

double layer_ms(const LayerPlan& layer, const std::vector<LinkSettings>& links,
                const DistributionOptions& options) {
  return predict_step(planned_work(alone(layer)), links, options, 0.0).step_ms;
}

PartWork with_best_cuts(const LayerWork& layer, const PartWork& part, const LinkSettings& link,
                        const DistributionOptions& options, double least_gain) {
  if (!part.cut_ms || !options.overlap) return part;
  const auto times = [&](ChunkCuts cuts) {
    return exchange_times(layer, with_cuts(part, cuts), link, options);
  };
  const ExchangeTimes now = times(part.cuts);
  double forward_ms = now.forward_ms * (1.0 - least_gain);
  double backward_ms = now.backward_ms * (1.0 - least_gain);
  ChunkCuts best = part.cuts;
  for (Cuts cuts = kNoCuts; cuts <= all_cuts(part.problem.batch); ++cuts) {
    const ExchangeTimes then = times({cuts, cuts});
    if (then.forward_ms < forward_ms) {
      forward_ms = then.forward_ms;
      best.forward = cuts;
    }
    if (then.backward_ms < backward_ms) {
      backward_ms = then.backward_ms;
      best.backward = cuts;
    }
  }
  return with_cuts(part, best);
}

std::vector<ShareCost> link_costs(const LayerWork& layer, const std::vector<LinkSettings>& links,
                                  const DistributionOptions& options) {
  std::vector<ShareCost> costs(links.size());
  for (std::size_t device = 1; device < links.size(); ++device) {
    const PartWork& part = layer.parts[device];
    if (part.problem.out_channels == 0 || part.problem.batch == 0) continue;
    const double compute_ms = part.ms[0] + part.ms[1] + part.ms[2];
    const ExchangeTimes times = exchange_times(layer, part, links[device], options);
    const double more_ms = times.forward_ms + times.backward_ms - compute_ms;
    if (more_ms <= kCalibrationNoise * compute_ms) continue;
    costs[device] = layer.split == SplitMode::kBatch ? ShareCost{0.0, more_ms / part.problem.batch}
                                                     : ShareCost{more_ms, 0.0};
  }
  return costs;
}

std::vector<ShareCost> best_part_of(
    const std::vector<ShareCost>& costs,
    const std::function<double(const std::vector<ShareCost>&)>& layer_ms) {
  double best_ms = std::numeric_limits<double>::infinity();
  std::vector<ShareCost> best = costs;
  for (const double part : {0.0, 0.25, 0.5, 0.75, 1.0}) {
    std::vector<ShareCost> some = costs;
    for (ShareCost& cost : some) cost = {part * cost.fixed_ms, part * cost.ms_per_kernel};
    const double ms = layer_ms(some);
    if (ms >= best_ms) continue;
    best_ms = ms;
    best = std::move(some);
  }
  return best;
}

ClusterPlan with_link_costs(ClusterPlan plan, const std::vector<LinkSettings>& links,
                            const DistributionOptions& options, const SharePolicy& policy,
                            const std::vector<bool>& available) {
  if (options.split != SplitMode::kAuto || !policy.calibrated) return plan;
  for (LayerPlan& layer : plan.layers) {
    // A device that is left out would have one at least.
    LayerPlan all = layer;
    std::vector<int> counts = layer.counts();
    for (int& count : counts) count = std::max(count, 1);
    all.set_counts(counts);
    const std::vector<ShareCost> costs = link_costs(planned_work(alone(all))[0], links, options);
    const auto divided = [&](const std::vector<ShareCost>& link) {
      LayerPlan other = layer;
      other.link_cost = link;
      other.set_counts(share_out(other, policy, available));
      return other;
    };
    layer = divided(best_part_of(costs, [&](const std::vector<ShareCost>& link) {
      return layer_ms(divided(link), links, options);
    }));
  }
  return plan;
}

LayerPlan with_cuts(LayerPlan layer, std::size_t device, ChunkCuts cuts) {
  const PartWork before = planned_work(alone(layer))[0].parts.at(device);
  const PartWork after = with_cuts(before, cuts);
  layer.cuts.at(device) = cuts;
  double more_ms = 0.0;
  for (std::size_t pass = 0; pass < after.ms.size(); ++pass) {
    const double more = after.ms[pass] - before.ms[pass];
    double& measured = layer.measured[device].ms[pass];
    measured = std::max(0.0, measured + more);
    more_ms += more;
  }
  double& fixed_ms = layer.cost[device].fixed_ms;
  fixed_ms = std::max(0.0, fixed_ms + more_ms);
  return layer;
}

ClusterPlan with_best_cuts(ClusterPlan plan, const std::vector<LinkSettings>& links,
                           const DistributionOptions& options, std::vector<std::string>* notes) {
  for (std::size_t number = 0; options.overlap && number < plan.layers.size(); ++number) {
    LayerPlan& layer = plan.layers[number];
    if (layer.cut_ms.empty()) continue;
    LayerPlan other = layer;
    const LayerWork work = planned_work(alone(layer))[0];
    for (std::size_t device = 1; device < links.size(); ++device)
      if (layer.counts()[device] > 0 && layer.cut_ms[device])
        other = with_cuts(
            std::move(other), device,
            with_best_cuts(work, work.parts[device], links[device], options, kCalibrationNoise)
                .cuts);
    if (other.cuts == layer.cuts) continue;
    char text[200];
    std::snprintf(text, sizeof text,
                  "Layer %zu is worked off %s forward and %s backward: estimated %.3g ms, and "
                  "%.3g ms as before.",
                  number + 1, manner(other, &ChunkCuts::forward).c_str(),
                  manner(other, &ChunkCuts::backward).c_str(), layer_ms(other, links, options),
                  layer_ms(layer, links, options));
    notes->push_back(text);
    layer = std::move(other);
  }
  return plan;
}

}  // namespace convoy
