// How a person's Stop reaches the engine: an atomic that long work polls.
//
// Thread-safety: request_stop() may be called from any thread and from a signal handler.
#pragma once

#include <atomic>

#include "engine/base/error.h"

namespace convoy {

class StopToken {
 public:
  StopToken() = default;
  // Also stopped when `parent` is; the parent must outlive this token.
  explicit StopToken(const StopToken* parent) : parent_(parent) {}

  void request_stop() noexcept { stop_.store(true, std::memory_order_relaxed); }
  bool stop_requested() const noexcept {
    return stop_.load(std::memory_order_relaxed) || (parent_ && parent_->stop_requested()) ||
           (leader_ && leader_->stop_requested());
  }
  // Also stopped when `leader` is, until the next follow(); null: nobody is followed. Only between
  // two pieces of work, when nobody polls this token.
  void follow(const StopToken* leader) noexcept { leader_ = leader; }
  // From now on only its own request and its leader's count. As follow().
  void forget_parent() noexcept { parent_ = nullptr; }
  // Long work calls this at least every 100 ms or so.
  void throw_if_stopped() const {
    if (stop_requested()) throw Interrupted();
  }

 private:
  std::atomic<bool> stop_{false};
  const StopToken* parent_ = nullptr;
  const StopToken* leader_ = nullptr;
};

}  // namespace convoy
