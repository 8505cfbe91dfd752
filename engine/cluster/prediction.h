// The step time that calibrated times and the links' settings add up to, before any step is run.
#pragma once

#include <vector>

#include "engine/cluster/calibration.h"

namespace convoy {

// Milliseconds of one step by the paper's method: for each layer and direction a device receives,
// computes and sends one after another, and the slowest decides; `comp_ms` is the rest of the step.
// links[0] is not read. Devices that really compete for memory or cores take longer than this.
double predict_step_ms(const ClusterPlan& plan, const std::vector<LinkSettings>& links,
                       double comp_ms);

}  // namespace convoy
