#include "engine/base/pace_clock.h"

#include <sys/prctl.h>

#include <algorithm>
#include <thread>

namespace convoy {
namespace {

class RealClock : public PaceClock {
 public:
  std::chrono::steady_clock::time_point now() override { return std::chrono::steady_clock::now(); }

  void sleep_until(std::chrono::steady_clock::time_point end, const StopToken* stop) override {
    using namespace std::chrono_literals;
    // The kernel may round a thread's sleeps up by its timer slack, 50 us by default: as long as
    // 60 KB take on a 10 Gb/s link.
    thread_local const bool precise = prctl(PR_SET_TIMERSLACK, 1UL, 0UL, 0UL, 0UL) == 0;
    (void)precise;
    // Waking up takes some time too; so short a rest is spun away.
    constexpr auto kSpin = 60us;
    for (;;) {
      if (stop) stop->throw_if_stopped();
      const auto time = now();
      if (time >= end) return;
      if (end - time > kSpin) std::this_thread::sleep_until(std::min(end - kSpin, time + 20ms));
    }
  }
};

}  // namespace

PaceClock& real_clock() {
  static RealClock clock;
  return clock;
}

}  // namespace convoy
