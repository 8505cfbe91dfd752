// Into how many chunks the workers' pictures are cut when transfers overlap computing: every cut
// hides some of the transfers, and makes computing take longer. Pure functions.
#pragma once

#include <functional>
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

// What each worker's transfers are estimated to add to its exchanges, [device]: the same for any
// number of kernels, or in proportion to pictures. What a calibration cannot tell from nothing is
// nothing.
std::vector<ShareCost> link_costs(const LayerWork& layer, const std::vector<LinkSettings>& links,
                                  const DistributionOptions& options);
// Shares count a part of these costs, from nothing to all in quarters: where transfers are hidden
// in one of the two exchanges, whole costs would keep the master too long in it. The part with
// which the layer is estimated to be done soonest; layer_ms(costs) estimates that.
std::vector<ShareCost> best_part_of(
    const std::vector<ShareCost>& costs,
    const std::function<double(const std::vector<ShareCost>&)>& layer_ms);

// With split kAuto, the plan with shares that count links so; otherwise as it is.
ClusterPlan with_link_costs(ClusterPlan plan, const std::vector<LinkSettings>& links,
                            const DistributionOptions& options, const SharePolicy& policy,
                            const std::vector<bool>& available);

// With overlap, every worker's part of every layer whose cuts' cost is known, with its best cuts.
// `notes` receives a sentence for each layer that changes. Gains that a calibration cannot tell
// from nothing change nothing.
ClusterPlan with_best_cuts(ClusterPlan plan, const std::vector<LinkSettings>& links,
                           const DistributionOptions& options, std::vector<std::string>* notes);

}  // namespace convoy
