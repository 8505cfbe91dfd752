#include "engine/cluster/schedule.h"

#include <algorithm>
#include <array>
#include <vector>

namespace convoy {
namespace {

constexpr int kWholeBatch = -1;

double duration_ms(const Piece& piece, const std::optional<LinkSettings>& link) {
  if (piece.activity == Activity::kCompute || !link) return piece.ms;
  return std::max(piece.ms, transfer_ms(*link, piece.bytes));
}

std::vector<PlacedPiece> one_after_another(const DeviceWorkload& device) {
  std::vector<PlacedPiece> placed;
  double now_ms = 0.0;
  for (const Piece& piece : device.pieces) {
    const double end_ms = now_ms + duration_ms(piece, device.link);
    placed.push_back({now_ms, end_ms});
    now_ms = end_ms;
  }
  return placed;
}

// The computing, the link inwards and the link outwards.
std::size_t resource_of(Activity activity, const std::optional<LinkSettings>& link) {
  if (activity == Activity::kCompute) return 0;
  return activity == Activity::kReceive || (link && link->duplex == Duplex::kHalf) ? 1 : 2;
}

// A time for each chunk, and for kWholeBatch.
class ChunkEnds {
 public:
  double& operator[](int chunk) {
    const auto place = static_cast<std::size_t>(chunk - kWholeBatch);
    if (place >= ms_.size()) ms_.resize(place + 1);
    return ms_[place];
  }

 private:
  std::vector<double> ms_ = std::vector<double>(8);
};

// A transfer, and what computing loses to it where they meet.
struct Loss {
  double begin_ms, end_ms, ms;
};

// When a computation ends that would take from `begin_ms` to `end_ms`; what it loses counts once.
double end_with_losses(double begin_ms, double end_ms, std::vector<Loss>& losses) {
  std::erase_if(losses, [&](const Loss& loss) {
    if (loss.end_ms <= begin_ms || loss.begin_ms >= end_ms) return false;
    end_ms += loss.ms;
    return true;
  });
  return end_ms;
}

std::vector<PlacedPiece> side_by_side(const DeviceWorkload& device) {
  std::vector<PlacedPiece> placed;
  std::array<double, 3> free_ms{};
  ChunkEnds chunk_end_ms;  // of the pieces so far
  double received_and_computed_ms = 0.0;
  double computing_ms = 0.0;  // since when the last computation goes on
  std::vector<Loss> losses;   // that no computation has met so far
  for (const Piece& piece : device.pieces) {
    const bool computes = piece.activity == Activity::kCompute;
    double& resource_ms = free_ms[resource_of(piece.activity, device.link)];
    double begin_ms = std::max({resource_ms, chunk_end_ms[piece.chunk], chunk_end_ms[kWholeBatch]});
    if (piece.chunk == kWholeBatch) begin_ms = std::max(begin_ms, received_and_computed_ms);
    double end_ms = begin_ms + duration_ms(piece, device.link);
    if (computes) {
      computing_ms = begin_ms;
      end_ms = end_with_losses(begin_ms, end_ms, losses);
    } else if (device.lost_to_transfers > 0.0) {
      losses.push_back({begin_ms, end_ms, piece.ms * device.lost_to_transfers});
      // The computation beside it is placed already, with what waits for it: the next one begins
      // later instead.
      free_ms[0] = end_with_losses(computing_ms, free_ms[0], losses);
    }
    placed.push_back({begin_ms, end_ms});
    resource_ms = end_ms;
    double& own_ms = chunk_end_ms[piece.chunk];
    own_ms = std::max(own_ms, end_ms);
    if (piece.activity != Activity::kSend)
      received_and_computed_ms = std::max(received_and_computed_ms, end_ms);
  }
  return placed;
}

}  // namespace

double transfer_ms(const LinkSettings& link, std::uint64_t bytes) {
  const double bits = static_cast<double>(bytes) * 8.0;
  return link.latency_ms + (link.bandwidth_mbps ? bits / (*link.bandwidth_mbps * 1e3) : 0.0);
}

PlacedExchange place_exchange(const std::vector<DeviceWorkload>& devices, bool overlap) {
  PlacedExchange exchange;
  for (const DeviceWorkload& device : devices) {
    exchange.devices.push_back(overlap ? side_by_side(device) : one_after_another(device));
    for (const PlacedPiece& piece : exchange.devices.back())
      exchange.ms = std::max(exchange.ms, piece.end_ms);
  }
  return exchange;
}

}  // namespace convoy
