#include "engine/link/throttled_link.h"

#include <algorithm>

namespace convoy {
namespace {

using Time = std::chrono::steady_clock::time_point;

// Bytes that are booked at once: some 4 ms, so that Stop and a new bandwidth act soon, but not so
// few that wake-ups cost more than the bytes.
std::size_t piece_bytes(const LinkSettings& settings, std::size_t remaining) {
  if (!settings.bandwidth_mbps) return std::min<std::size_t>(remaining, std::size_t{64} << 20);
  const double in_4_ms = *settings.bandwidth_mbps * 1e6 / 8.0 * 4e-3;
  const double piece = std::clamp(in_4_ms, 512.0, 4.0 * 1024 * 1024);
  return std::min(remaining, static_cast<std::size_t>(piece) / 64 * 64);
}

}  // namespace

ThrottledLink::ThrottledLink(std::unique_ptr<Link> inner, const LinkSettings& settings,
                             PaceClock& clock)
    : inner_(std::move(inner)), clock_(clock), settings_(settings) {}

LinkSettings ThrottledLink::settings() const {
  std::lock_guard lock(mutex_);
  return settings_;
}

bool ThrottledLink::in_place() const {
  const LinkSettings now = settings();
  return !now.bandwidth_mbps && now.latency_ms == 0.0 && inner_->in_place();
}

void ThrottledLink::set_settings(const LinkSettings& settings) {
  std::lock_guard lock(mutex_);
  settings_ = settings;
}

Time ThrottledLink::book(Direction direction, std::size_t bytes, Time earliest) {
  std::lock_guard lock(mutex_);
  if (!settings_.bandwidth_mbps) return earliest;
  const bool half = settings_.duplex == Duplex::kHalf;
  Time& free_at = free_at_[half ? 0 : static_cast<int>(direction)];
  const double seconds = static_cast<double>(bytes) * 8.0 / (*settings_.bandwidth_mbps * 1e6);
  free_at = std::max(free_at, earliest) +
            std::chrono::duration_cast<Time::duration>(std::chrono::duration<double>(seconds));
  return free_at;
}

void ThrottledLink::transfer(Direction direction, std::size_t bytes, const Carry& carry,
                             const StopToken* stop) {
  const Time asked = clock_.now();
  Time arrived = asked + std::chrono::duration_cast<Time::duration>(
                             std::chrono::duration<double, std::milli>(settings().latency_ms));
  clock_.sleep_until(arrived, stop);
  for (std::size_t at = 0; at < bytes;) {
    const LinkSettings limited = settings();
    const std::size_t piece = piece_bytes(limited, bytes - at);
    arrived = book(direction, piece, arrived);
    inner_->transfer(
        direction, piece, [&](std::size_t begin, std::size_t size) { carry(at + begin, size); },
        stop);
    // An unlimited stretch leaves no credit behind for a limit that is set during the transfer.
    if (limited.bandwidth_mbps)
      clock_.sleep_until(arrived, stop);
    else
      arrived = clock_.now();
    at += piece;
  }
}

}  // namespace convoy
