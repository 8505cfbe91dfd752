#include "engine/cluster/schedule.h"

#include <algorithm>
#include <array>
#include <map>

namespace convoy {
namespace {

constexpr int kWholeBatch = -1;

double duration_ms(const Piece& piece, const std::optional<LinkSettings>& link) {
  return piece.activity == Activity::kCompute || !link ? piece.ms : transfer_ms(*link, piece.bytes);
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

std::vector<PlacedPiece> side_by_side(const DeviceWorkload& device) {
  std::vector<PlacedPiece> placed;
  std::array<double, 3> free_ms{};
  std::map<int, double> chunk_end_ms;  // of the pieces so far, by chunk
  double received_and_computed_ms = 0.0;
  for (const Piece& piece : device.pieces) {
    double& resource_ms = free_ms[resource_of(piece.activity, device.link)];
    double begin_ms = std::max({resource_ms, chunk_end_ms[piece.chunk], chunk_end_ms[kWholeBatch]});
    if (piece.chunk == kWholeBatch) begin_ms = std::max(begin_ms, received_and_computed_ms);
    const double end_ms = begin_ms + duration_ms(piece, device.link);
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
