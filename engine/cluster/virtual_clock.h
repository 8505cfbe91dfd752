// The time of a run whose devices really work one after another, but stand for computers that work
// side by side.
#pragma once

#include <vector>

#include "engine/conv/timeline.h"

namespace convoy {

enum class ClockMode {
  kWall,    // all devices compute at the same time, and real time is measured
  kVirtual  // one after another, each measured alone, and placed side by side on a virtual clock
};

// Virtual time passes as real time divided by `speed` (the master's: what it does in
// 1 ms would have taken 1 / speed ms), but for exchanges: whatever an exchange really took, its
// scheduled duration passes. Used by one thread.
class VirtualClock {
 public:
  explicit VirtualClock(double speed, TimePoint start = SteadyClock::now());

  // The virtual time of a real one: of any since the exchange before forget().
  TimePoint at(TimePoint real) const;
  TimePoint now() const { return at(SteadyClock::now()); }

  // An exchange took from `begin` to `end` in real time, and `duration` in virtual time. In the
  // order of time. Real times between the two have the virtual time of `begin`.
  void replace(TimePoint begin, TimePoint end, SteadyClock::duration duration);
  // Nobody will ask for times before the last exchange any more.
  void forget();

 private:
  // From `real` on, until the next.
  struct Stretch {
    TimePoint real, virtual_time;
    double rate;  // virtual time in a unit of real time
  };

  double rate_;
  std::vector<Stretch> stretches_;
};

}  // namespace convoy
