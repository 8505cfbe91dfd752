// How bytes travel between the master and one worker, with the time and the count of each transfer.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <optional>
#include <span>

#include "engine/base/stop_token.h"
#include "engine/conv/timeline.h"

namespace convoy {

enum class Duplex { kFull, kHalf };

// bandwidth: 10^6 bits a second in each direction (half duplex: both together); nothing is
// unlimited.
struct LinkSettings {
  std::optional<double> bandwidth_mbps;
  double latency_ms = 0.0;
  Duplex duplex = Duplex::kFull;
  bool operator==(const LinkSettings&) const = default;
};

enum class Direction { kToWorker, kToMaster };

// Takes the bytes [at, at + size) of a transfer from the one end to the other. What it does beside
// copying (packing, unpacking) goes on while the link is busy with what came before.
using Carry = std::function<void(std::size_t at, std::size_t size)>;

// Moves bytes; both ends of a transfer are named in one call, because in one process one thread
// does both. At most one transfer a direction at a time. Throws Interrupted when stopped.
class Link {
 public:
  virtual ~Link() = default;
  // Has all bytes carried, in order and in pieces whose ends are multiples of 64 bytes but for the
  // last, and returns when the last one has arrived.
  virtual void transfer(Direction direction, std::size_t bytes, const Carry& carry,
                        const StopToken* stop) = 0;
  // A transfer that copies source to destination (same size).
  void copy(Direction direction, std::span<const std::byte> source,
            std::span<std::byte> destination, const StopToken* stop) {
    transfer(
        direction, source.size(),
        [&](std::size_t at, std::size_t size) {
          std::memcpy(destination.data() + at, source.data() + at, size);
        },
        stop);
  }
  // Whether a transfer would take no time now: both ends see the same memory and nothing limits the
  // rate. Who asks may then use the source where it lies, and need not transfer it.
  virtual bool in_place() const { return false; }
  // May be called from any thread, also during a transfer, which then goes on at the new rate.
  virtual void set_settings(const LinkSettings& settings) = 0;
};

}  // namespace convoy
