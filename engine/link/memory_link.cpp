#include "engine/link/memory_link.h"

#include <algorithm>

namespace convoy {

void MemoryLink::transfer(Direction, std::size_t bytes, const Carry& carry, const StopToken* stop) {
  constexpr std::size_t kPiece = std::size_t{64} << 20;  // some 10 ms: how long Stop may wait
  for (std::size_t at = 0; at < bytes; at += kPiece) {
    if (stop) stop->throw_if_stopped();
    carry(at, std::min(kPiece, bytes - at));
  }
}

}  // namespace convoy
