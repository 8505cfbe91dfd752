// When each piece of work of one exchange begins and ends, from how long each takes. The one place
// that knows: the virtual clock asks it with measured times, the prediction with calibrated ones.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "engine/conv/timeline.h"
#include "engine/link/link.h"

namespace convoy {

// A computation of `ms`; or a transfer of `bytes`, for which the device's computer works `ms` (to
// pick, round and copy them) while they are on the link: it takes the longer of the two.
struct Piece {
  Activity activity = Activity::kCompute;
  Pass pass = Pass::kForward;
  double ms = 0.0;
  std::uint64_t bytes = 0;
  int chunk = -1;  // of the batch; -1 for what concerns all of it
};

// What one device is to do, in the order in which it does it.
struct DeviceWorkload {
  std::vector<Piece> pieces;         // without kWait
  std::optional<LinkSettings> link;  // none: the master's own device
  // How much of what its computer works for transfers is lost to computing at the same time:
  // 1 / cores where the same cores do both, 0 where it computes elsewhere.
  double lost_to_transfers = 0.0;
};

struct PlacedPiece {
  double begin_ms = 0.0, end_ms = 0.0;  // since the exchange began
};

struct PlacedExchange {
  std::vector<std::vector<PlacedPiece>> devices;  // [device][piece], as given
  double ms = 0.0;                                // until the last piece of all devices has ended
};

// How long `bytes` occupy a link: latency + 8 bytes / bandwidth, as ThrottledLink has it.
double transfer_ms(const LinkSettings& link, std::uint64_t bytes);

// Devices do not wait for each other within an exchange. Without `overlap` a device begins each
// piece when the one before it has ended. With `overlap` it has three resources, each with one
// piece at a time, in the order of the list: the link inwards, the computing, the link outwards (a
// half-duplex link is one resource). A piece then waits for its resource, for the earlier pieces of
// its own chunk and of chunk -1; a piece of chunk -1, for everything received and computed before
// it. Computing takes longer by what it loses to the transfers beside it.
PlacedExchange place_exchange(const std::vector<DeviceWorkload>& devices, bool overlap);

}  // namespace convoy
