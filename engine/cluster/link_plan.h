// A plan as it is best over the links of the moment: how each layer is split, who gets how much of
// it, and in how many chunks it is worked off. Pure functions.
#pragma once

#include <string>
#include <vector>

#include "engine/cluster/calibration.h"
#include "engine/cluster/layer_plan.h"
#include "engine/link/link.h"

namespace convoy {

enum class Splits {
  kKeep,    // each layer stays split as it is
  kFollow,  // where it was measured both ways it is split the way that is estimated to be sooner
  kChoose   // the same; the notes tell it of every such layer, not only of those that change
};

// The cuts as they pay now, and new shares. With split kAuto and calibrated shares these are the
// best division (division.h) of each layer; other shares only decide about the way to split it.
// `notes` receives a sentence for each change of splits and cuts.
ClusterPlan with_links(ClusterPlan plan, const std::vector<LinkSettings>& links,
                       const DistributionOptions& options, const SharePolicy& policy,
                       const std::vector<bool>& available, Splits splits,
                       std::vector<std::string>& notes);

}  // namespace convoy
