#include "engine/cluster/calibration.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <limits>

#include "engine/cluster/link_plan.h"
#include "engine/cluster/quarantine.h"

namespace convoy {
namespace {

// Whether a count is so far from the measured one that the fixed cost may matter: where that is a
// third of the time, by more than two parts in a hundred.
bool far(int count, int measured) {
  return count > 0 && std::abs(count - measured) > std::max(1, measured / 16);
}

// Of twelve devices nine may go out at once: one message a layer tells of all.
std::string get_no(const LayerPlan& layer, std::size_t number,
                   const std::vector<std::string>& names) {
  std::string text = names.size() == 1 ? "Device " : "Devices ";
  for (std::size_t i = 0; i < names.size(); ++i)
    text += (i == 0 ? "" : i + 1 < names.size() ? ", " : " and ") + names[i];
  return text + (names.size() == 1 ? " gets no " : " get no ") +
         (layer.split == SplitMode::kBatch ? "picture" : "kernel") + " of layer " +
         std::to_string(number + 1);
}

void note_left_out(const LayerPlan& layer, std::size_t number,
                   const std::vector<std::string>& names, std::vector<std::string>& messages) {
  double others_ms = 0.0;
  for (std::size_t i = 0; i < names.size(); ++i)
    if (layer.counts()[i] > 0) others_ms = std::max(others_ms, layer.cost[i].ms(layer.counts()[i]));
  std::vector<std::string> out;
  double least_ms = std::numeric_limits<double>::infinity();
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (layer.counts()[i] > 0 || !std::isfinite(layer.cost[i].ms_per_kernel)) continue;
    out.push_back(names[i]);
    least_ms = std::min(least_ms, layer.cost[i].ms(1));
  }
  if (out.empty()) return;
  char times[128];
  std::snprintf(times, sizeof times, "one would take %s %.3g ms, the others need %.3g ms for all",
                out.size() == 1 ? "it" : "each at least", least_ms, others_ms);
  messages.push_back(get_no(layer, number, out) + " (" + std::to_string(layer.whole()) +
                     (layer.split == SplitMode::kBatch ? " pictures): " : " kernels): ") + times +
                     ".");
}

// Who would get some by speed alone.
void note_links(const LayerPlan& layer, const LayerPlan& by_speed, std::size_t number,
                const std::vector<std::string>& names, std::vector<std::string>& notes) {
  std::vector<std::string> out;
  for (std::size_t i = 0; i < names.size(); ++i)
    if (layer.counts()[i] == 0 && by_speed.counts()[i] > 0) out.push_back(names[i]);
  if (out.empty()) return;
  notes.push_back(get_no(layer, number, out) +
                  (out.size() == 1 ? ": moving its part would take longer than it saves."
                                   : ": moving their parts would take longer than it saves."));
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

void measure_layer(Cluster& cluster, const SharePolicy& policy, const DistributionOptions& options,
                   LayerPlan& layer) {
  calibrate_layer(cluster, policy, options, layer);
  measure_cuts(cluster, options, layer);
}

// Measures the layer as it is to be split; for kAuto both ways.
LayerPlan measured_layer(Cluster& cluster, const SharePolicy& policy,
                         const DistributionOptions& options, const LayerPlan& unmeasured) {
  const bool both = options.split == SplitMode::kAuto;
  LayerPlan layer = unmeasured;
  layer.split = both ? SplitMode::kKernels : options.split;
  measure_layer(cluster, policy, options, layer);
  if (!both) return layer;
  LayerPlan other = unmeasured;
  other.split = SplitMode::kBatch;
  measure_layer(cluster, policy, options, other);
  layer.other_split = std::make_shared<const LayerPlan>(std::move(other));
  return layer;
}

// The maps, the weights and the gradients that each of the devices has of a layer, about: where the
// batch is divided it has part of the input and all weights instead.
std::size_t layer_bytes(const ConvProblem& problem, std::size_t devices) {
  const std::size_t floats =
      problem.input_size() + (problem.output_size() + problem.weight_size()) / devices;
  return 2 * sizeof(float) * floats;
}

// A step goes through the layers forward and then backward.
OtherLayers others_of(std::size_t number, const std::vector<ConvProblem>& problems,
                      std::size_t devices) {
  OtherLayers others;
  for (std::size_t i = 0; i < problems.size(); ++i) {
    if (i < number) others.before_forward += layer_bytes(problems[i], devices);
    if (i > number) others.before_backward += layer_bytes(problems[i], devices);
  }
  return others;
}

// Takes what a device was measured at for what it takes in a step, however the layer is split.
void take_over(const std::array<double, 3>& ms, SplitMode split, int count, std::size_t device,
               LayerPlan& layer) {
  const auto scale = [device](LayerPlan& plan, double factor) {
    for (double& pass_ms : plan.measured[device].ms) pass_ms *= factor;
    ShareCost& cost = plan.cost[device];
    cost = {cost.fixed_ms * factor, cost.ms_per_kernel * factor};
  };
  LayerPlan other;
  const bool both = layer.other_split != nullptr;
  if (both) other = *layer.other_split;
  LayerPlan& rehearsed = layer.split == split ? layer : other;
  const double factor = (ms[0] + ms[1] + ms[2]) / rehearsed.cost[device].ms(count);
  scale(layer, factor);
  if (both) scale(other, factor);
  rehearsed.measured[device].ms = ms;
  rehearsed.measured_counts[device] = count;
  if (both) layer.other_split = std::make_shared<const LayerPlan>(std::move(other));
}

// The devices go through a step with the parts of `shares`; what they take in it goes into `plan`,
// which `shares` was made from.
void rehearse(Cluster& cluster, const ClusterPlan& shares, const DistributionOptions& options,
              ClusterPlan& plan) {
  std::vector<std::vector<ChosenPart>> steps(static_cast<std::size_t>(cluster.size()));
  for (const LayerPlan& layer : shares.layers) {
    const std::vector<LayerPart> parts = layer.parts(options);
    for (std::size_t i = 0; i < steps.size(); ++i)
      steps[i].push_back({parts[i], layer.measured[i].algorithm});
  }
  const auto times = cluster.rehearse(steps);
  for (std::size_t number = 0; number < plan.layers.size(); ++number)
    for (std::size_t i = 0; i < steps.size(); ++i)
      if (!steps[i][number].part.empty())
        take_over(times[i][number], shares.layers[number].split, shares.layers[number].counts()[i],
                  i, plan.layers[number]);
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
    layer.others = others_of(number, problems, static_cast<std::size_t>(cluster.size()));
    for (bool done = false; !done;) {
      try {
        layer = measured_layer(cluster, policy, options, layer);
        done = true;
      } catch (const DeviceLost& failure) {
        plan.lost.insert(plan.lost.end(), failure.lost().begin(), failure.lost().end());
      }
    }
    plan.layers.push_back(std::move(layer));
  }
  // Earlier layers may have counted on devices that were lost in later ones.
  const auto with_shares = [&](std::vector<std::string>& notes) {
    return with_links(plan, cluster.links(), options, policy, cluster.available(), Splits::kChoose,
                      notes);
  };
  for (bool done = false; !done;) {
    try {
      std::vector<std::string> not_yet;
      rehearse(cluster, with_shares(not_yet), options, plan);
      done = true;
    } catch (const DeviceLost& failure) {
      plan.lost.insert(plan.lost.end(), failure.lost().begin(), failure.lost().end());
    }
  }
  std::vector<std::string> notes;
  plan = with_shares(notes);
  for (std::size_t number = 0; number < plan.layers.size(); ++number) {
    LayerPlan by_speed = plan.layers[number];
    by_speed.link_cost.clear();
    by_speed.set_counts(share_out(by_speed, policy, cluster.available()));
    note_left_out(by_speed, number, names, plan.messages);
    note_links(plan.layers[number], by_speed, number, names, notes);
  }
  plan.notes = std::move(notes);
  return plan;
}

}  // namespace convoy
