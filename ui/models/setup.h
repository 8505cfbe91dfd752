// What the Setup dock shows: an experiment, with the devices that are not ticked as well.
#pragma once

#include <QString>
#include <optional>
#include <vector>

#include "engine/network/network_spec.h"
#include "engine/training/experiment.h"
#include "ui/models/device_catalog.h"

namespace convoy::ui {

struct DeviceRow {
  DeviceSpec spec;
  bool ticked = true;
  double fraction = 0.0;  // of the work, with explicit shares
  bool operator==(const DeviceRow&) const = default;
};

struct Setup {
  Experiment experiment;  // its devices and fractions are those of `devices`, see toExperiment()
  std::vector<DeviceRow> devices;  // the first ticked one is the master's
};

// The ready experiment that the program opens on: built-in data, every detected device.
Setup defaultSetup(const DeviceCatalog& catalog);
// The rows that an experiment without devices stands for; OpenCL CPU runtimes are listed too, not
// ticked.
std::vector<DeviceRow> defaultRows(const DeviceCatalog& catalog);

Experiment toExperiment(const Setup& setup);
// Detected devices that the experiment does not use follow its own, not ticked, unless they share
// cores with one of them.
Setup fromExperiment(const Experiment& experiment, const DeviceCatalog& catalog);
// Whether the two would be the same on screen.
bool sameSetup(const Setup& a, const Setup& b);

// Cores that two devices both compute on.
bool shareCores(const DeviceInfo& a, const DeviceInfo& b);

// The network on the chosen data set's pictures. For a folder of pictures the number of classes is
// counted on the disk.
NetworkSpec networkSpec(const Setup& setup);

// What one training step costs; nothing when the network is not possible.
struct StepCost {
  double flops = 0.0;         // multiplications and additions, all passes
  double parameters = 0.0;    // weights and biases
  double memoryBytes = 0.0;   // maps, weights and their gradients, and the pictures
  std::vector<int> mapSizes;  // height after each block
};
std::optional<StepCost> stepCost(const Setup& setup);

// Pictures that training will see, where that is known without reading files.
std::optional<int> knownTrainCount(const Experiment& experiment);

}  // namespace convoy::ui
