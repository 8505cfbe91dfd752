// Ids of CPU devices, on any machine.
#pragma once

#include <string>

#include "engine/device/discovery.h"

namespace convoy {

// A CPU device on the n-th of our cores; with fewer, cores are used twice.
inline std::string cpu_id(std::size_t n) {
  const auto cores = available_cores();
  return "cpu:" + std::to_string(cores[n % cores.size()]);
}

}  // namespace convoy
