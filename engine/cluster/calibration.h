// Measures every device on every layer before the first step and splits the kernels by what was
// measured.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "engine/cluster/cluster.h"
#include "engine/cluster/split.h"

namespace convoy {

struct LayerPlan {
  ConvProblem problem;
  bool needs_grad_input = true;
  std::vector<int> kernels;               // [device], sums to the layer's
  std::vector<int> measured_kernels;      // [device], the last measurement's count; 0 where none
  std::vector<ConvMeasurement> measured;  // [device], at measured_kernels
  std::vector<ShareCost> cost;            // [device]
};

struct ClusterPlan {
  std::vector<LayerPlan> layers;
  std::vector<std::string> messages;  // who is left out of which layer, and why

  // Estimated times of a device doing all kernels of all layers, in milliseconds a step.
  double alone_ms(int device) const;
  // Its rate over all layers, in direct-equivalent GFLOP/s.
  double gflops(int device) const;
  // Its part of all convolution work, 0..1.
  double share(int device) const;
};

// How the kernels are to be given out.
struct SharePolicy {
  bool calibrated = true;
  std::vector<double> fractions;  // when not calibrated: one a device, sum 1
};

// [device] What every device is measured with first: its own count where that is known before,
// else equal counts, at least one each.
std::vector<int> first_counts(int kernels, std::size_t devices, const SharePolicy& policy);

// Each device is timed on each layer's real shape, all passes, all devices at once as in a step:
// first at equal shares, then, where the shares differ much from that, again at its own. Explicit
// shares are measured once, as they are, so that algorithms are chosen and speeds can be told.
// `progress` hears the layer, from 0.
ClusterPlan calibrate(Cluster& cluster, const std::vector<ConvProblem>& problems,
                      const std::vector<std::string>& names, const SharePolicy& policy,
                      const std::function<void(int layer)>& progress);

}  // namespace convoy
