#include "engine/cluster/prediction.h"

#include <algorithm>

namespace convoy {
namespace {

double transfer_ms(const LinkSettings& link, std::size_t floats) {
  const double bits = static_cast<double>(floats) * sizeof(float) * 8.0;
  return link.latency_ms + (link.bandwidth_mbps ? bits / (*link.bandwidth_mbps * 1e3) : 0.0);
}

}  // namespace

double predict_step_ms(const ClusterPlan& plan, const std::vector<LinkSettings>& links,
                       double comp_ms) {
  double step_ms = comp_ms;
  for (const LayerPlan& layer : plan.layers) {
    double forward_ms = 0.0, backward_ms = 0.0;
    for (std::size_t device = 0; device < layer.kernels.size(); ++device) {
      if (layer.kernels[device] == 0) continue;
      const ConvProblem part = layer.problem.with_kernels(layer.kernels[device]);
      const double compute_ms = layer.cost[device].ms(layer.kernels[device]);
      const auto& measured = layer.measured[device];
      double forward = compute_ms * measured.ms[0] / measured.total_ms();
      double backward = compute_ms - forward;
      if (device > 0) {
        const LinkSettings& link = links[device];
        forward += transfer_ms(link, part.input_size()) + transfer_ms(link, part.weight_size()) +
                   transfer_ms(link, part.output_size());
        backward += transfer_ms(link, part.output_size()) + transfer_ms(link, part.weight_size());
        if (layer.needs_grad_input) backward += transfer_ms(link, part.input_size());
      }
      forward_ms = std::max(forward_ms, forward);
      backward_ms = std::max(backward_ms, backward);
    }
    step_ms += forward_ms + backward_ms;
  }
  return step_ms;
}

}  // namespace convoy
