// The rest of a step outside the convolutional layers, by part, and what of it leaves the master.
#pragma once

#include <string>
#include <vector>

#include "engine/cluster/distribution_options.h"
#include "engine/network/network_spec.h"

namespace convoy {

// "batch", "fully connected", "update", ...: as the model names its slices; "other" for what is in
// no part.
struct RestPart {
  std::string name;
  double ms = 0.0;
};

double part_ms(const std::vector<RestPart>& rest, const std::string& name);
// Adding a layer's bias, rectifying and pooling, or the way back.
double pooling_ms(const std::vector<RestPart>& rest, std::size_t layer, bool backward);
// Updating a layer's kernels: their part of all parameters' update.
double update_ms(const std::vector<RestPart>& rest, const NetworkSpec& network, std::size_t layer);
// What remains on the master: without pooling where devices do it, and without the update of the
// layers that are split by kernels where these are resident.
double master_rest_ms(const std::vector<RestPart>& rest, const NetworkSpec& network,
                      const std::vector<SplitMode>& splits, const DistributionOptions& options);

}  // namespace convoy
