#include "engine/cluster/calibration.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <limits>

#include "engine/cluster/chunks.h"
#include "engine/cluster/prediction.h"
#include "engine/cluster/quarantine.h"

namespace convoy {
namespace {

// Whether a count is so far from the measured one that the fixed cost may matter: where that is a
// third of the time, by more than two parts in a hundred.
bool far(int count, int measured) {
  return count > 0 && std::abs(count - measured) > std::max(1, measured / 16);
}

void note_left_out(const LayerPlan& layer, std::size_t number,
                   const std::vector<std::string>& names, std::vector<std::string>& messages) {
  double others_ms = 0.0;
  for (std::size_t i = 0; i < names.size(); ++i)
    if (layer.counts()[i] > 0) others_ms = std::max(others_ms, layer.cost[i].ms(layer.counts()[i]));
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (layer.counts()[i] > 0 || !std::isfinite(layer.cost[i].ms_per_kernel)) continue;
    char times[96];
    std::snprintf(times, sizeof times, "one would take it %.3g ms, the others need %.3g ms for all",
                  layer.cost[i].ms(1), others_ms);
    const std::string what = layer.split == SplitMode::kBatch ? "picture" : "kernel";
    messages.push_back("Device " + names[i] + " gets no " + what + " of layer " +
                       std::to_string(number + 1) + " (" + std::to_string(layer.whole()) + " " +
                       what + "s): " + times + ".");
  }
}

}  // namespace

std::vector<int> first_counts(int kernels, std::size_t devices, const SharePolicy& policy) {
  const int each = std::max(1, kernels / static_cast<int>(devices));
  std::vector<int> counts(devices, each);
  if (policy.calibrated) return counts;
  const std::vector<int> shares = split_by_fractions(kernels, policy.fractions);
  for (std::size_t i = 0; i < devices; ++i)
    if (shares[i] > 0) counts[i] = shares[i];
  return counts;
}

namespace {

// Times every device on the layer, split as the plan says, and gives out the shares.
void calibrate_layer(Cluster& cluster, const SharePolicy& policy,
                     const DistributionOptions& options, LayerPlan& layer) {
  const auto devices = static_cast<std::size_t>(cluster.size());
  const int whole = layer.whole();
  const auto measure = [&](const std::vector<int>& counts) {
    std::vector<LayerPart> parts;
    for (std::size_t i = 0; i < devices; ++i) parts.push_back(layer.part(i, 0, counts[i], options));
    return cluster.measure(parts);
  };
  const std::vector<bool> available = cluster.available();
  layer.cuts.assign(devices, {});
  layer.measured_counts = first_counts(whole, devices, policy);
  for (std::size_t i = 0; i < devices; ++i)
    if (!available[i]) layer.measured_counts[i] = 0;
  layer.measured = measure(layer.measured_counts);
  layer.cost.clear();
  for (std::size_t i = 0; i < devices; ++i)
    layer.cost.push_back({0.0, available[i]
                                   ? layer.measured[i].total_ms() / layer.measured_counts[i]
                                   : std::numeric_limits<double>::infinity()});

  const auto split = [&] { layer.set_counts(share_out(layer, policy, available)); };
  split();
  bool again = false;
  for (std::size_t i = 0; i < devices; ++i)
    again = again || far(layer.counts()[i], layer.measured_counts[i]);
  if (!policy.calibrated || !again) return;
  const std::vector<int> counts = layer.counts();
  const auto measured = measure(counts);
  for (std::size_t i = 0; i < devices; ++i) {
    if (counts[i] == 0) continue;  // keeps its first measurement
    layer.cost[i] = share_cost(layer.measured_counts[i], layer.measured[i].total_ms(), counts[i],
                               measured[i].total_ms());
    layer.measured[i] = measured[i];
    layer.measured_counts[i] = counts[i];
  }
  split();
}

// Finds out what cutting the workers' measured parts into all their chunks costs.
void measure_cuts(Cluster& cluster, const DistributionOptions& options, LayerPlan& layer) {
  if (!options.overlap) return;
  LayerPlan all_cut = layer;
  all_cut.cuts.clear();
  std::vector<LayerPart> parts;
  for (std::size_t i = 0; i < layer.measured_counts.size(); ++i) {
    parts.push_back(all_cut.part(i, 0, layer.measured_counts[i], options));
    if (!parts.back().cuts.any()) parts.back().problem.out_channels = 0;
  }
  layer.cut_ms.clear();
  for (const ConvMeasurement& measurement : cluster.measure(parts))
    layer.cut_ms.push_back(measurement.cut_ms);
}

// Measures the layer both ways and takes the one that is estimated to be done sooner.
LayerPlan faster_split(Cluster& cluster, const SharePolicy& policy,
                       const DistributionOptions& options, const LayerPlan& layer,
                       std::size_t number, std::vector<std::string>& notes) {
  LayerPlan by_kernels = layer, by_batch = layer;
  by_batch.split = SplitMode::kBatch;
  calibrate_layer(cluster, policy, options, by_kernels);
  calibrate_layer(cluster, policy, options, by_batch);
  const double kernels_ms = layer_ms(by_kernels, cluster.links(), options);
  const double batch_ms = layer_ms(by_batch, cluster.links(), options);
  char text[128];
  std::snprintf(text, sizeof text,
                "Layer %zu is split by %s: estimated %.3g ms by kernels, %.3g ms by batch.",
                number + 1, batch_ms < kernels_ms ? "batch" : "kernels", kernels_ms, batch_ms);
  notes.push_back(text);
  return batch_ms < kernels_ms ? by_batch : by_kernels;
}

}  // namespace

ClusterPlan calibrate(Cluster& cluster, const std::vector<ConvProblem>& problems,
                      const std::vector<std::string>& names, const SharePolicy& policy,
                      const DistributionOptions& options,
                      const std::function<void(int layer)>& progress) {
  ClusterPlan plan;
  for (std::size_t number = 0; number < problems.size(); ++number) {
    progress(static_cast<int>(number));
    LayerPlan layer;
    layer.problem = problems[number];
    layer.needs_grad_input = number > 0;
    for (bool done = false; !done;) {
      try {
        if (options.split == SplitMode::kAuto) {
          std::vector<std::string> notes;
          layer = faster_split(cluster, policy, options, layer, number, notes);
          plan.notes.insert(plan.notes.end(), notes.begin(), notes.end());
        } else {
          layer.split = options.split;
          calibrate_layer(cluster, policy, options, layer);
        }
        measure_cuts(cluster, options, layer);
        done = true;
      } catch (const DeviceLost& failure) {
        plan.lost.insert(plan.lost.end(), failure.lost().begin(), failure.lost().end());
      }
    }
    note_left_out(layer, number, names, plan.messages);
    plan.layers.push_back(std::move(layer));
  }
  std::vector<std::string> notes;
  plan = with_best_cuts(std::move(plan), cluster.links(), options, &notes);
  plan.notes.insert(plan.notes.end(), notes.begin(), notes.end());
  plan = with_link_costs(std::move(plan), cluster.links(), options, policy, cluster.available());
  // Earlier layers may have counted on devices that were lost in later ones.
  if (!plan.lost.empty() || !notes.empty() || options.split == SplitMode::kAuto)
    plan = replan(std::move(plan), policy, cluster.available());
  return plan;
}

}  // namespace convoy
