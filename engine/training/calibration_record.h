// What a calibration found out, kept: enough to predict steps of the same network and batch on any
// choice of the same devices, with any links and any method, without the devices.
#pragma once

#include <array>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "engine/cluster/calibration.h"
#include "engine/training/baseline.h"
#include "engine/training/experiment.h"

namespace convoy {

// All times are of the devices as they are, at speed 1: of an emulated one, less what it waits; and
// of convolutions alone: what was measured with pooling, less what pooling is estimated to take.
struct CalibrationRecord {
  // One device on one layer: `count` kernels (or pictures, where the layer was split by batch) took
  // `ms` by pass in the order of kAllPasses (0 for a pass that the layer does not need), and `cost`
  // is what any number of them takes.
  struct LayerTimes {
    SplitMode split = SplitMode::kKernels;
    int count = 0;
    std::array<double, 3> ms{};
    std::array<std::string, 3> algorithm;
    ShareCost cost;
    std::optional<CutCost> cut_ms;  // where it was measured: of each cut of `count` into chunks
    MovingCost moving;
  };
  struct DeviceTimes {
    std::string id, name;
    std::optional<double> scratch_limit_mb;
    std::vector<LayerTimes> layers;
  };

  DatasetKind dataset = DatasetKind::kSynthetic;  // with the two below: the shape of the pictures
  NetworkSpec network;
  int batch_size = 0;
  std::vector<DeviceTimes> devices;
  // The step on one device alone: its convolutions by layer and pass, and the rest by part
  // ("batch", "bias, ReLU, pooling 1", "fully connected", "update", ...; "other" for what is in no
  // part).
  int baseline_device = 0;
  std::vector<std::array<double, 3>> baseline_ms;  // [layer]
  std::vector<RestPart> rest;
};

// Whether every device of the plan was measured on every layer, as a record needs it.
bool all_measured(const ClusterPlan& plan);

// The record of what `plan` was made from and the baseline measured. `devices` as the plan has
// them.
CalibrationRecord make_record(const Experiment& experiment, const NetworkSpec& network,
                              const std::vector<DeviceSpec>& devices, const ClusterPlan& plan,
                              int baseline_device, const BaselineTimes& baseline);

// A calibration file: records of any problems. JSON; numbers read back to the same value.
std::string calibration_json(const std::vector<CalibrationRecord>& records);
// Throws Error(kData) that says file, JSON path, what was found and what is allowed.
std::vector<CalibrationRecord> parse_calibration(const std::string& json_text,
                                                 const std::string& file);
std::vector<CalibrationRecord> read_calibration(const std::filesystem::path& path);

}  // namespace convoy
