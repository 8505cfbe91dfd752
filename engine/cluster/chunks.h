// Whether the pictures of a layer are worked off in chunks: transfers then overlap computing, which
// takes longer in small pieces. Pure functions.
#pragma once

#include <string>
#include <vector>

#include "engine/cluster/layer_plan.h"
#include "engine/link/link.h"

namespace convoy {

// The estimated time of a layer's two exchanges, in milliseconds; `links` [device].
double layer_ms(const LayerPlan& layer, const std::vector<LinkSettings>& links,
                const DistributionOptions& options);

// Whether there is a choice: whether any worker would have more than one chunk.
bool can_work_in_chunks(const LayerPlan& layer);

// What is known of the layer, worked off in chunks or whole, by its chunk_factor.
LayerPlan worked_off(LayerPlan layer, bool in_chunks);

// Every layer that has a choice, in the way that is estimated to be done sooner over these links;
// one that differs by no more than a calibration can tell stays as it is. `notes` receives a
// sentence for each that changes.
ClusterPlan with_best_chunks(ClusterPlan plan, const std::vector<LinkSettings>& links,
                             const DistributionOptions& options, std::vector<std::string>* notes);

}  // namespace convoy
