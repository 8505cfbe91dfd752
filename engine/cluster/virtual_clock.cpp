#include "engine/cluster/virtual_clock.h"

#include <algorithm>

namespace convoy {

VirtualClock::VirtualClock(double speed, TimePoint start)
    : rate_(1.0 / speed), stretches_{{start, start, rate_}} {}

TimePoint VirtualClock::at(TimePoint real) const {
  const auto after =
      std::upper_bound(stretches_.begin(), stretches_.end(), real,
                       [](TimePoint time, const Stretch& stretch) { return time < stretch.real; });
  const Stretch& stretch = after == stretches_.begin() ? *after : *std::prev(after);
  return stretch.virtual_time +
         std::chrono::duration_cast<SteadyClock::duration>((real - stretch.real) * stretch.rate);
}

void VirtualClock::replace(TimePoint begin, TimePoint end, SteadyClock::duration duration) {
  const TimePoint virtual_begin = at(begin);
  stretches_.push_back({begin, virtual_begin, 0.0});
  stretches_.push_back({end, virtual_begin + duration, rate_});
}

void VirtualClock::forget() {
  stretches_.erase(stretches_.begin(), stretches_.end() - 1);
}

}  // namespace convoy
