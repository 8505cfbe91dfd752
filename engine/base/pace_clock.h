// The clock that waits are made on. The real one sleeps; a test's own jumps.
#pragma once

#include <chrono>

#include "engine/base/stop_token.h"

namespace convoy {

class PaceClock {
 public:
  virtual ~PaceClock() = default;
  virtual std::chrono::steady_clock::time_point now() = 0;
  // Returns at `end`, or at once when that is past. Throws Interrupted within 20 ms of a stop.
  // `stop` may be null.
  virtual void sleep_until(std::chrono::steady_clock::time_point end, const StopToken* stop) = 0;
};

// Sleeps, to some microseconds. Thread-safe; lives as long as the program.
PaceClock& real_clock();

}  // namespace convoy
