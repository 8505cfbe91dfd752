#pragma once

#include <cstddef>

namespace convoy {

// Asks for `bytes` from `place` on, in the order of the addresses. Into the second-level cache: the
// first level has too few outstanding reads to hide the memory's latency. Any address will do.
inline void prefetch(const float* place, std::size_t bytes) {
  constexpr std::size_t kLine = 64;
  for (std::size_t at = 0; at < bytes; at += kLine)
    __builtin_prefetch(reinterpret_cast<const char*>(place) + at, 0, 2);
}

}  // namespace convoy
