// How a person's Stop reaches the engine: an atomic that long work polls.
//
// Thread-safety: request_stop() may be called from any thread and from a signal handler.
#pragma once

#include <atomic>

#include "engine/base/error.h"

namespace convoy {

class StopToken {
 public:
  void request_stop() noexcept { stop_.store(true, std::memory_order_relaxed); }
  bool stop_requested() const noexcept { return stop_.load(std::memory_order_relaxed); }
  // Long work calls this at least every 100 ms or so.
  void throw_if_stopped() const {
    if (stop_requested()) throw Interrupted();
  }

 private:
  std::atomic<bool> stop_{false};
};

}  // namespace convoy
