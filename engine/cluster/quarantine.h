// New shares where devices drop out or come back, and the words for it. Pure functions.
#pragma once

#include <string>
#include <vector>

#include "engine/cluster/calibration.h"
#include "engine/cluster/device_lost.h"

namespace convoy {

// [device] The layer shared out among the devices with available[device]: by their costs, or where
// the shares are not calibrated in proportion to their fractions (evenly where all of these are
// zero). At least one device must be available, and all available ones measured.
std::vector<int> share_out(const LayerPlan& layer, const SharePolicy& policy,
                           const std::vector<bool>& available);
// All layers of a plan.
ClusterPlan replan(ClusterPlan plan, const SharePolicy& policy, const std::vector<bool>& available);

// "layer 2, forward", "the set-up of layer 1", "calibration"
std::string describe_command(const LostDevice& lost);

// "750 kernels of B went to A and C": what changed from one plan to the other, all layers together
// that are split as before; empty where that is nothing.
std::string describe_moves(const ClusterPlan& from, const ClusterPlan& to,
                           const std::vector<std::string>& names);

}  // namespace convoy
