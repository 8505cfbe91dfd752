#include "engine/cluster/calibration.h"

#include <algorithm>
#include <cmath>

namespace convoy {
namespace {

constexpr double kPasses = 3.0;

double layer_flops(const LayerPlan& layer) {
  return layer.problem.flops() * (layer.needs_grad_input ? kPasses : kPasses - 1.0);
}

// Whether a count is so far from the measured one that the fixed cost may matter: where that is a
// third of the time, by more than two parts in a hundred.
bool far(int count, int measured) {
  return count > 0 && std::abs(count - measured) > std::max(1, measured / 16);
}

void note_left_out(const LayerPlan& layer, std::size_t number,
                   const std::vector<std::string>& names, std::vector<std::string>& messages) {
  double others_ms = 0.0;
  for (std::size_t i = 0; i < names.size(); ++i)
    if (layer.kernels[i] > 0) others_ms = std::max(others_ms, layer.cost[i].ms(layer.kernels[i]));
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (layer.kernels[i] > 0) continue;
    char times[96];
    std::snprintf(times, sizeof times, "one would take it %.3g ms, the others need %.3g ms for all",
                  layer.cost[i].ms(1), others_ms);
    messages.push_back("Device " + names[i] + " gets no kernel of layer " +
                       std::to_string(number + 1) + " (" +
                       std::to_string(layer.problem.out_channels) + " kernels): " + times + ".");
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

double ClusterPlan::alone_ms(int device) const {
  double ms = 0.0;
  for (const LayerPlan& layer : layers)
    ms += layer.cost[static_cast<std::size_t>(device)].ms(layer.problem.out_channels);
  return ms;
}

double ClusterPlan::gflops(int device) const {
  double flops = 0.0;
  for (const LayerPlan& layer : layers) flops += layer_flops(layer);
  return flops / alone_ms(device) / 1e6;
}

double ClusterPlan::share(int device) const {
  double all = 0.0, own = 0.0;
  for (const LayerPlan& layer : layers) {
    const double flops = layer_flops(layer);
    all += flops;
    own += flops * layer.kernels[static_cast<std::size_t>(device)] / layer.problem.out_channels;
  }
  return own / all;
}

ClusterPlan calibrate(Cluster& cluster, const std::vector<ConvProblem>& problems,
                      const std::vector<std::string>& names, const SharePolicy& policy,
                      const std::function<void(int layer)>& progress) {
  const auto devices = static_cast<std::size_t>(cluster.size());
  ClusterPlan plan;
  for (std::size_t number = 0; number < problems.size(); ++number) {
    progress(static_cast<int>(number));
    LayerPlan layer;
    layer.problem = problems[number];
    layer.needs_grad_input = number > 0;
    const int kernels = layer.problem.out_channels;

    layer.measured_kernels = first_counts(kernels, devices, policy);
    layer.measured = cluster.measure(layer.problem, layer.measured_kernels, layer.needs_grad_input);
    for (std::size_t i = 0; i < devices; ++i)
      layer.cost.push_back({0.0, layer.measured[i].total_ms() / layer.measured_kernels[i]});

    const auto split = [&] {
      const double each = static_cast<double>(kernels) / static_cast<double>(devices);
      return policy.calibrated ? split_by_cost(kernels, without_noise(layer.cost, each))
                               : split_by_fractions(kernels, policy.fractions);
    };
    layer.kernels = split();
    bool again = false;
    for (std::size_t i = 0; i < devices; ++i)
      again = again || far(layer.kernels[i], layer.measured_kernels[i]);
    if (policy.calibrated && again) {
      const auto measured = cluster.measure(layer.problem, layer.kernels, layer.needs_grad_input);
      for (std::size_t i = 0; i < devices; ++i) {
        if (layer.kernels[i] == 0) continue;  // keeps its first measurement
        layer.cost[i] = share_cost(layer.measured_kernels[i], layer.measured[i].total_ms(),
                                   layer.kernels[i], measured[i].total_ms());
        layer.measured[i] = measured[i];
        layer.measured_kernels[i] = layer.kernels[i];
      }
      layer.kernels = split();
    }
    note_left_out(layer, number, names, plan.messages);
    plan.layers.push_back(std::move(layer));
  }
  return plan;
}

}  // namespace convoy
