// Weights as safetensors (float32): conv1.weight, conv1.bias, conv2.weight, ..., fc.weight, fc.bias
// in PyTorch's shapes.
#pragma once

#include <filesystem>

#include "engine/network/parameters.h"

namespace convoy {

// Throws Error(kData) that names the file and the tensor when something is damaged, missing, too
// much, of another shape or type, or not finite.
Parameters read_weights(const std::filesystem::path& path, const NetworkSpec& spec);
// Written atomically. Throws Error(kRun).
void write_weights(const std::filesystem::path& path, const NetworkSpec& spec,
                   const Parameters& parameters);

}  // namespace convoy
