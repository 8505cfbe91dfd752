// A clock that jumps instead of sleeping, and a copy that takes its time by it.
#pragma once

#include <chrono>
#include <functional>

#include "engine/base/pace_clock.h"
#include "engine/link/memory_link.h"

namespace convoy {

using Time = std::chrono::steady_clock::time_point;

// Wakes up late by `late` every time, as a real machine does.
class JumpingClock : public PaceClock {
 public:
  explicit JumpingClock(std::chrono::nanoseconds late = {}) : late_(late) {}
  Time now() override { return now_; }
  void sleep_until(Time end, const StopToken* stop) override {
    if (stop) stop->throw_if_stopped();
    if (end > now_) now_ = end + late_;
    ++sleeps;
    if (on_sleep) on_sleep();
  }
  void advance(std::chrono::nanoseconds time) { now_ += time; }
  double seconds() const { return std::chrono::duration<double>(now_ - Time{}).count(); }

  int sleeps = 0;
  std::function<void()> on_sleep;

 private:
  Time now_{};
  std::chrono::nanoseconds late_;
};

// A copy that costs time, too.
class SlowCopy : public MemoryLink {
 public:
  SlowCopy(JumpingClock& clock, double bytes_per_second) : clock_(clock), rate_(bytes_per_second) {}
  void transfer(Direction direction, std::size_t bytes, const Carry& carry,
                const StopToken* stop) override {
    MemoryLink::transfer(direction, bytes, carry, stop);
    clock_.advance(
        std::chrono::nanoseconds(static_cast<long long>(1e9 * static_cast<double>(bytes) / rate_)));
  }

 private:
  JumpingClock& clock_;
  double rate_;
};

}  // namespace convoy
