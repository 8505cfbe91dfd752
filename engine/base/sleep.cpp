#include "engine/base/sleep.h"

#include <sys/prctl.h>

#include <algorithm>
#include <thread>

namespace convoy {

void sleep_until(std::chrono::steady_clock::time_point end, const StopToken* stop) {
  using namespace std::chrono_literals;
  // The kernel may round a thread's sleeps up by its timer slack, 50 us by default: as much as
  // 60 KB on a 10 Gb/s link.
  thread_local const bool precise = prctl(PR_SET_TIMERSLACK, 1UL, 0UL, 0UL, 0UL) == 0;
  (void)precise;
  for (;;) {
    if (stop) stop->throw_if_stopped();
    const auto now = std::chrono::steady_clock::now();
    if (now >= end) return;
    std::this_thread::sleep_until(std::min(end, now + 20ms));
  }
}

}  // namespace convoy
