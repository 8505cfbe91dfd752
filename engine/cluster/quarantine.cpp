#include "engine/cluster/quarantine.h"

#include <cmath>
#include <numeric>

namespace convoy {
namespace {

std::vector<int> split_calibrated(const LayerPlan& layer, const std::vector<bool>& available) {
  const int whole = layer.whole();
  std::vector<ShareCost> costs, links;
  for (std::size_t i = 0; i < available.size(); ++i) {
    if (!available[i]) continue;
    costs.push_back(layer.cost[i]);
    if (!layer.link_cost.empty()) links.push_back(layer.link_cost[i]);
  }
  const double each = static_cast<double>(whole) / static_cast<double>(costs.size());
  return split_by_cost(whole, sum_of(without_noise(costs, each), links));
}

std::vector<int> split_fixed(const LayerPlan& layer, const SharePolicy& policy,
                             const std::vector<bool>& available) {
  std::vector<double> fractions;
  for (std::size_t i = 0; i < available.size(); ++i)
    if (available[i]) fractions.push_back(policy.fractions[i]);
  const double sum = std::accumulate(fractions.begin(), fractions.end(), 0.0);
  for (double& fraction : fractions)
    fraction = sum > 0.0 ? fraction / sum : 1.0 / static_cast<double>(fractions.size());
  return split_by_fractions(layer.whole(), fractions);
}

// "A", "A and B", "A, B and C"
std::string list(const std::vector<std::string>& words) {
  std::string text;
  for (std::size_t i = 0; i < words.size(); ++i)
    text += (i == 0 ? "" : i + 1 == words.size() ? " and " : ", ") + words[i];
  return text;
}

}  // namespace

std::vector<int> share_out(const LayerPlan& layer, const SharePolicy& policy,
                           const std::vector<bool>& available) {
  const std::vector<int> given = policy.calibrated ? split_calibrated(layer, available)
                                                   : split_fixed(layer, policy, available);
  std::vector<int> counts(available.size());
  std::size_t next = 0;
  for (std::size_t i = 0; i < available.size(); ++i)
    if (available[i]) counts[i] = given[next++];
  return counts;
}

ClusterPlan replan(ClusterPlan plan, const SharePolicy& policy,
                   const std::vector<bool>& available) {
  for (LayerPlan& layer : plan.layers) layer.set_counts(share_out(layer, policy, available));
  return plan;
}

std::string describe_command(const LostDevice& lost) {
  const std::string layer = "layer " + std::to_string(lost.layer + 1);
  switch (lost.command) {
    case CommandKind::kConfigure:
      return "the set-up of " + layer;
    case CommandKind::kMeasure:
    case CommandKind::kRehearse:
      return "calibration";
    case CommandKind::kForward:
      return layer + ", forward";
    case CommandKind::kBackward:
      return layer + ", backward";
    case CommandKind::kUpdate:
      return "the update";
    case CommandKind::kPlace:
    case CommandKind::kFetch:
      break;
  }
  return "moving the weights of " + layer;
}

std::string describe_moves(const ClusterPlan& from, const ClusterPlan& to,
                           const std::vector<std::string>& names) {
  std::vector<std::string> givers, takers;
  for (std::size_t device = 0; device < names.size(); ++device) {
    int kernels = 0, pictures = 0;
    for (std::size_t layer = 0; layer < to.layers.size(); ++layer) {
      if (from.layers[layer].split != to.layers[layer].split) continue;  // not to be compared
      (to.layers[layer].split == SplitMode::kBatch ? pictures : kernels) +=
          to.layers[layer].counts()[device] - from.layers[layer].counts()[device];
    }
    const auto give = [&](int gained, const char* what) {
      if (gained < 0)
        givers.push_back(std::to_string(-gained) + " " + what + (gained == -1 ? "" : "s") + " of " +
                         names[device]);
    };
    give(kernels, "kernel");
    give(pictures, "picture");
    if (kernels > 0 || pictures > 0) takers.push_back(names[device]);
  }
  if (givers.empty() || takers.empty()) return {};
  return list(givers) + " went to " + list(takers);
}

}  // namespace convoy
