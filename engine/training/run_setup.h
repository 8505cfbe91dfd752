// What a run needs before anything is computed or written: the experiment with every choice made,
// its data, devices and first weights.
#pragma once

#include <string>
#include <vector>

#include "engine/cluster/calibration.h"
#include "engine/network/parameters.h"
#include "engine/training/batches.h"
#include "engine/training/run_control.h"
#include "engine/training/run_devices.h"
#include "engine/training/run_listeners.h"

namespace convoy {

struct RunSetup {
  Experiment experiment;  // devices spelled out, the link as it was last set
  Dataset data;
  Normalisation normalisation;
  NetworkSpec spec;
  std::vector<ConvProblem> problems;  // of the layers, whole
  int batch_size = 0, steps = 0, steps_per_epoch = 0;
  Parameters initial;
  RunDevices devices;
  SharePolicy policy;
  Overdue overdue;  // who decides that a device hangs; empty: its calibrated times

  std::vector<std::string> device_names() const;
};

// Everything that can be refused is refused here: throws Error(kExperiment), Error(kDevice) or
// Error(kData), or Interrupted. `listeners` hear of the phases only.
RunSetup prepare_run(Experiment experiment, const RunControl& control,
                     const RunListeners& listeners);

}  // namespace convoy
