#include "engine/link/memory_link.h"

#include <algorithm>
#include <cstring>

namespace convoy {

void MemoryLink::transfer(Direction, std::span<const std::byte> source,
                          std::span<std::byte> destination, const StopToken* stop) {
  constexpr std::size_t kPiece = std::size_t{64} << 20;  // some 10 ms: how long Stop may wait
  for (std::size_t at = 0; at < source.size(); at += kPiece) {
    if (stop) stop->throw_if_stopped();
    std::memcpy(destination.data() + at, source.data() + at, std::min(kPiece, source.size() - at));
  }
}

}  // namespace convoy
