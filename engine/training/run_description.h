// A run's set-up and calibration in the words of its events.
#pragma once

#include <string>
#include <vector>

#include "engine/results/run_events.h"
#include "engine/training/run_setup.h"

namespace convoy {

// The summary as far as it is known before the run, of an experiment that spells out its devices.
RunSummary describe_summary(const Experiment& experiment, const std::string& run_id);
RunStarted describe_start(const RunSetup& setup, const RunSummary& summary);
RunCalibrated describe_calibration(const ClusterPlan& plan, int devices);
// "Scratch memory: A 120.0 MB, B 80.0 MB": the most that any layer takes.
std::string describe_scratch(const ClusterPlan& plan, const std::vector<std::string>& names);
// A sentence for each layer that a device's scratch limit leaves to the slow reference.
std::vector<std::string> describe_slow_algorithms(const ClusterPlan& plan,
                                                  const std::vector<std::string>& names);
// "100 Mb/s", "unlimited"
std::string bandwidth_text(const LinkSettings& link);

}  // namespace convoy
