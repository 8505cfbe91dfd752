// The cores of this machine and what the system says about its processor.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace convoy {

// The cores that this process was given when it started, rising. Pinning a thread later does not
// change them.
const std::vector<int>& cores_at_start();

std::string processor_name();  // "AMD EPYC 9654"; the architecture where the system gives no name
std::uint64_t physical_memory_bytes();

}  // namespace convoy
