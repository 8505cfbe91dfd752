// Runs an experiment: data, calibration, baseline, training, test.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "engine/cluster/deadline.h"
#include "engine/results/run_events.h"
#include "engine/training/experiment.h"
#include "engine/training/run_control.h"
#include "engine/training/run_id.h"

namespace convoy {

// How a test gets between a run and its devices. Empty functions change nothing.
struct RunHooks {
  // Called for each device before it is used first, with its place in the experiment; what it
  // returns is used instead.
  std::function<std::unique_ptr<Device>(std::size_t place, std::unique_ptr<Device>)> replace_device;
  Overdue overdue;  // instead of the deadlines by calibrated times
};

struct RunOptions {
  std::optional<std::filesystem::path> out;  // the folder of the run's files; none: not written
  // What identifies the run in its events and files; empty: new_run_id().
  std::string run_id;
  RunHooks hooks;

  RunOptions() = default;
  // Just a folder needs no more words.
  RunOptions(std::optional<std::filesystem::path> folder, std::string id = {})
      : out(std::move(folder)), run_id(std::move(id)) {}
};

// Blocks until the run is done, stopped or failed. Listeners hear everything; with a folder the
// run's files are written there as it goes (results/run_folder.h). Returns the summary for a
// finished and for a stopped run; both have told on_finished. A failure that comes after on_started
// is told through on_finished (outcome kFailed, what was measured is saved) and then thrown as
// Error.
RunSummary run_experiment(const Experiment& experiment, RunControl& control,
                          const std::vector<RunListener*>& listeners,
                          const RunOptions& options = {});

// Threads that runs of this process have left behind in devices that hang. With any left, end the
// process by std::_Exit: destructors must not run under a driver that is still at work.
int devices_left_hanging();

}  // namespace convoy
