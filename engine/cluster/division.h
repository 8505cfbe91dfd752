// How a layer is best divided among devices behind links: who gets how many of its kernels or
// pictures, down to none. Pure functions; a run and a prediction ask the same.
#pragma once

#include <functional>
#include <vector>

#include "engine/cluster/prediction.h"
#include "engine/cluster/split.h"
#include "engine/link/link.h"

namespace convoy {

// A layer that is split one way.
struct SplitLayer {
  SplitMode split = SplitMode::kKernels;  // never kAuto
  bool needs_grad_input = true;
  int whole = 0;  // kernels or pictures
  // [device], of computing a kernel or picture; infinite where a device may have none.
  std::vector<ShareCost> costs;
  // The device's part with so many of them, one at least, with its best cuts.
  std::function<PartWork(std::size_t device, int count)> part;
  // [device], the first worker with the same parts and the same link; empty where that is unknown.
  std::vector<std::size_t> twin;
  double master_ms = 0.0;  // what this way to split it leaves to the master beside the layer
};

struct Division {
  std::vector<int> counts;  // [device]
  LayerWork work;
  double ms = 0.0;  // estimated, with master_ms
};

// With these counts.
Division divided(const SplitLayer& layer, const std::vector<int>& counts,
                 const std::vector<LinkSettings>& links, const DistributionOptions& options);

// With the counts for which the layer is estimated to be done soonest: those by speed alone, where
// others gain less than kLeastShareGain, so that equal devices keep equal shares; one device doing
// all; or those where all devices end their exchanges together, transfers included. Speeds that a
// calibration cannot tell apart count as equal (without_noise()).
inline constexpr double kLeastShareGain = 0.003;
Division best_division(const SplitLayer& layer, const std::vector<LinkSettings>& links,
                       const DistributionOptions& options);

// What has to be added to the costs, so that split_by_cost() gives just these counts: [device],
// what a device with a share waits for at its end, and for the others more than all of it takes.
std::vector<ShareCost> costs_that_give(const std::vector<int>& counts,
                                       const std::vector<ShareCost>& costs);

}  // namespace convoy
