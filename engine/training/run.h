// Runs an experiment: data, calibration, baseline, training, test.
#pragma once

#include <atomic>
#include <filesystem>
#include <functional>
#include <mutex>
#include <optional>
#include <vector>

#include "engine/base/stop_token.h"
#include "engine/results/run_events.h"
#include "engine/training/experiment.h"

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

  // Used by the run itself.
  void attach(std::function<void(const LinkSettings&)> apply_link);

 private:
  StopToken stop_;
  std::atomic<bool> paused_{false};
  std::mutex mutex_;
  std::optional<LinkSettings> link_;
  std::function<void(const LinkSettings&)> apply_link_;
};

// Blocks until the run is done, stopped or failed. Listeners hear everything; with `out` the run's
// files are written there as it goes (results/run_folder.h). Returns the summary for a finished and
// for a stopped run; both have told on_finished. A failure that comes after on_started is told
// through on_finished (outcome kFailed, what was measured is saved) and then thrown as Error.
RunSummary run_experiment(const Experiment& experiment, RunControl& control,
                          const std::vector<RunListener*>& listeners,
                          const std::optional<std::filesystem::path>& out = std::nullopt);

}  // namespace convoy
