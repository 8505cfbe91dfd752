// How a person reaches into a run that goes on.
#pragma once

#include <atomic>
#include <functional>
#include <mutex>
#include <optional>

#include "engine/base/stop_token.h"
#include "engine/link/link.h"

namespace convoy {

// What a person changes while a run goes on. All functions may be called from any thread.
class RunControl {
 public:
  void request_stop() { stop_.request_stop(); }  // safe in a signal handler
  const StopToken& stop_token() const { return stop_; }

  // A paused run waits between two steps.
  void set_paused(bool paused) { paused_.store(paused); }
  bool paused() const { return paused_.load(); }

  // The default link from now on; acts within a running transfer. Devices with a link of their own
  // keep it.
  void set_link(const LinkSettings& settings);

  // What was last set; nothing before the first set_link().
  std::optional<LinkSettings> link() const;

  // Used by the run itself: who brings a new setting to the links. It is called under a lock, at
  // once when a setting is there already; an empty function detaches.
  void attach(std::function<void(const LinkSettings&)> apply_link);

 private:
  StopToken stop_;
  std::atomic<bool> paused_{false};
  mutable std::mutex mutex_;
  std::optional<LinkSettings> link_;
  std::function<void(const LinkSettings&)> apply_link_;
};

}  // namespace convoy
