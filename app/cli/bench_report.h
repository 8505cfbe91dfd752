// What `convoy bench` prints.
#pragma once

#include <string>

#include "app/cli/statistics.h"
#include "engine/device/device.h"
#include "engine/tensor/buffer.h"

namespace convoy::cli {

// The most memory this process has held so far, in bytes.
double peak_memory_bytes();

// Uniform in [-1, 1), the same each time.
FloatBuffer random_buffer(std::size_t size, std::uint64_t seed);

// "step  12.3 ms  (12.1 to 12.9)"
std::string time_line(const std::string& what, const Measurements& times);

}  // namespace convoy::cli
