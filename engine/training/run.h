// Runs an experiment: data, calibration, baseline, training, test.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "engine/results/run_events.h"
#include "engine/training/experiment.h"
#include "engine/training/run_control.h"
#include "engine/training/run_id.h"

namespace convoy {

struct RunOptions {
  std::optional<std::filesystem::path> out;  // the folder of the run's files; none: not written
  // What identifies the run in its events and files; empty: new_run_id().
  std::string run_id;

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

}  // namespace convoy
