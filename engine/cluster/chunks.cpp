#include "engine/cluster/chunks.h"

#include <algorithm>
#include <cstdio>

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
    return exchange_times(layer, with_cuts(part, cuts), &link, options);
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
