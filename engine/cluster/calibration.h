// Measures every device on every layer before the first step and divides the layers by what
// was measured.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "engine/cluster/cluster.h"
#include "engine/cluster/layer_plan.h"

namespace convoy {

// How the layers are to be given out.
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
// A device that fails or hangs is left out, and stands in the plan's list of lost ones.
// `progress` hears the layer, from 0.
ClusterPlan calibrate(Cluster& cluster, const std::vector<ConvProblem>& problems,
                      const std::vector<std::string>& names, const SharePolicy& policy,
                      const DistributionOptions& options,
                      const std::function<void(int layer)>& progress);

}  // namespace convoy
