// Into how many chunks the workers' pictures are cut when transfers overlap computing: every cut
// hides some of the transfers, and makes computing take longer. Pure functions.
#pragma once

#include <string>
#include <vector>

#include "engine/cluster/calibration.h"
#include "engine/cluster/layer_plan.h"
#include "engine/cluster/prediction.h"
#include "engine/link/link.h"

namespace convoy {

// The estimated time of a layer's two exchanges, in milliseconds; `links` [device].
double layer_ms(const LayerPlan& layer, const std::vector<LinkSettings>& links,
                const DistributionOptions& options);

// The worker's part with the cuts with which each of its exchanges is estimated to end soonest;
// those that gain no more than this share of it stay as they are.
PartWork with_best_cuts(const LayerWork& layer, const PartWork& part, const LinkSettings& link,
                        const DistributionOptions& options, double least_gain);

// What is known of the layer, with a device's pictures cut so.
LayerPlan with_cuts(LayerPlan layer, std::size_t device, ChunkCuts cuts);

// With overlap, every worker's part of every layer whose cuts' cost is known, with its best cuts.
// `notes` receives a sentence for each layer that changes. Gains that a calibration cannot tell
// from nothing change nothing.
ClusterPlan with_best_cuts(ClusterPlan plan, const std::vector<LinkSettings>& links,
                           const DistributionOptions& options, std::vector<std::string>* notes);

}  // namespace convoy
