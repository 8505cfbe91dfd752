#include "engine/cluster/watched_link.h"

namespace convoy {

void WatchedLink::transfer(Direction direction, std::size_t bytes, const Carry& carry,
                           const StopToken* stop) {
  struct UnderWay {
    explicit UnderWay(WatchedLink& link) : link_(link) { link_.note(+1); }
    ~UnderWay() { link_.note(-1); }
    WatchedLink& link_;
  } const under_way(*this);
  inner_->transfer(direction, bytes, carry, stop);
}

void WatchedLink::note(int change) {
  const std::lock_guard lock(mutex_);
  const TimePoint now = SteadyClock::now();
  if (under_way_ == 0) idle_ += now - since_;
  since_ = now;
  under_way_ += change;
}

void WatchedLink::restart() {
  const std::lock_guard lock(mutex_);
  idle_ = {};
  since_ = SteadyClock::now();
}

SteadyClock::duration WatchedLink::idle_time() const {
  const std::lock_guard lock(mutex_);
  return under_way_ > 0 ? idle_ : idle_ + (SteadyClock::now() - since_);
}

}  // namespace convoy
