// Into how many chunks the workers' pictures are cut when transfers overlap computing: every cut
// hides some of the transfers, and makes computing take longer. Pure functions.
#pragma once

#include <string>
#include <vector>

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

// With split kAuto, a plan whose shares count what each worker's transfers are estimated to add to
// its exchanges at these bandwidths: with the layer's kernels divided the same for any number of
// them, with its batch divided in proportion to pictures. What a calibration cannot tell from
// nothing counts nothing.
ClusterPlan with_link_costs(ClusterPlan plan, const std::vector<LinkSettings>& links,
                            const DistributionOptions& options);
std::vector<ShareCost> link_costs(const LayerWork& layer, const std::vector<LinkSettings>& links,
                                  const DistributionOptions& options);

// With overlap, every worker's part of every layer whose cuts' cost is known, with its best cuts.
// `notes` receives a sentence for each layer that changes. Gains that a calibration cannot tell
// from nothing change nothing.
ClusterPlan with_best_cuts(ClusterPlan plan, const std::vector<LinkSettings>& links,
                           const DistributionOptions& options, std::vector<std::string>* notes);

}  // namespace convoy
