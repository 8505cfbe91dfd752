// How a person reaches into a run that goes on.
#pragma once

#include <atomic>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

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

  // Lets a quarantined device in again before the next step: it is measured and gets shares.
  // `device` is its name in the run. Whether it worked is told as an event or a message of the run.
  void readmit(const std::string& device);
  // Used by the run itself: who is to be let in, in the order of the requests, each only once.
  std::vector<std::string> take_readmissions();

  // Used by the run itself: who brings a new setting to the links. It is called under a lock, at
  // once when a setting is there already; an empty function detaches.
  void attach(std::function<void(const LinkSettings&)> apply_link);

 private:
  StopToken stop_;
  std::atomic<bool> paused_{false};
  mutable std::mutex mutex_;
  std::optional<LinkSettings> link_;
  std::vector<std::string> readmissions_;
  std::function<void(const LinkSettings&)> apply_link_;
};

}  // namespace convoy
