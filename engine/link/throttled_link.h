// A link around a link that lets bytes through at a given bandwidth, after a given latency.
//
// A token bucket over the real bytes: a transfer of n bytes takes latency + 8 n / bandwidth, kept
// by absolute deadlines so that late wake-ups do not add up. Carrying a piece counts as part of
// that time, unless it takes longer. With half duplex both directions draw on one bucket, with full
// duplex each has its own. Overheads of a protocol are not imitated.
#pragma once

#include <chrono>
#include <memory>
#include <mutex>

#include "engine/base/pace_clock.h"
#include "engine/link/link.h"

namespace convoy {

class ThrottledLink : public Link {
 public:
  // `clock` must outlive the link.
  ThrottledLink(std::unique_ptr<Link> inner, const LinkSettings& settings,
                PaceClock& clock = real_clock());
  void transfer(Direction direction, std::size_t bytes, const Carry& carry,
                const StopToken* stop) override;
  // While bandwidth is unlimited and latency zero, as far as the inner link is.
  bool in_place() const override;
  void set_settings(const LinkSettings& settings) override;

 private:
  LinkSettings settings() const;
  // Books `bytes` on the direction's bucket at the present rate; returns when they have passed.
  std::chrono::steady_clock::time_point book(Direction direction, std::size_t bytes,
                                             std::chrono::steady_clock::time_point earliest);

  std::unique_ptr<Link> inner_;
  PaceClock& clock_;
  mutable std::mutex mutex_;
  LinkSettings settings_;
  std::chrono::steady_clock::time_point free_at_[2] =
      {};  // by direction; [0] for both at half duplex
};

}  // namespace convoy
