// Runs an experiment: data, calibration, baseline, training, test.
#pragma once

#include <filesystem>
#include <optional>
#include <vector>

#include "engine/results/run_events.h"
#include "engine/training/experiment.h"
#include "engine/training/run_control.h"

namespace convoy {

// Blocks until the run is done, stopped or failed. Listeners hear everything; with `out` the run's
// files are written there as it goes (results/run_folder.h). Returns the summary for a finished and
// for a stopped run; both have told on_finished. A failure that comes after on_started is told
// through on_finished (outcome kFailed, what was measured is saved) and then thrown as Error.
RunSummary run_experiment(const Experiment& experiment, RunControl& control,
                          const std::vector<RunListener*>& listeners,
                          const std::optional<std::filesystem::path>& out = std::nullopt);

}  // namespace convoy
