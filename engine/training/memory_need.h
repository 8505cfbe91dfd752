// How much memory a run needs, before it is started.
#pragma once

#include <cstdint>
#include <optional>

#include "engine/cluster/distribution_options.h"
#include "engine/network/network_spec.h"

namespace convoy {

// Bytes for maps, weights and gradients on the master and on `devices` - 1 workers in this process,
// each of which keeps the whole input and about its part of everything else. Scratch
// (Device::planned_scratch()), pictures and what a GPU holds itself come on top.
std::uint64_t memory_need(const NetworkSpec& spec, int batch, int devices,
                          const DistributionOptions& options);

// What the system can give without swapping, in bytes; nothing when it does not say.
std::optional<std::uint64_t> available_memory();

}  // namespace convoy
