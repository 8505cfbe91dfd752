// A link that tells how long nothing was on it.
#pragma once

#include <memory>
#include <mutex>

#include "engine/link/link.h"

namespace convoy {

// Around another link. Thread-safe but for the transfers themselves, which are as the inner link
// wants them.
class WatchedLink : public Link {
 public:
  explicit WatchedLink(std::unique_ptr<Link> inner) : inner_(std::move(inner)) {}

  void transfer(Direction direction, std::size_t bytes, const Carry& carry,
                const StopToken* stop) override;
  bool in_place() const override { return inner_->in_place(); }
  void set_settings(const LinkSettings& settings) override { inner_->set_settings(settings); }

  // Counts from now on.
  void restart();
  // Since restart(), without the time in which a transfer was under way in any direction.
  SteadyClock::duration idle_time() const;

 private:
  void note(int change);

  std::unique_ptr<Link> inner_;
  mutable std::mutex mutex_;
  int under_way_ = 0;
  SteadyClock::duration idle_{};  // up to since_
  TimePoint since_ = SteadyClock::now();
};

}  // namespace convoy
