// An experiment as data, and its JSON form (docs: README, resources/experiment.schema.json).
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "datasets/image_set.h"
#include "engine/cluster/distribution_options.h"
#include "engine/cluster/virtual_clock.h"
#include "engine/link/link.h"
#include "engine/network/network_spec.h"
#include "engine/network/parameters.h"

namespace convoy {

struct DeviceSpec {
  std::string id;    // "cpu:0", "opencl:0:0"
  std::string name;  // empty: the id
  // Below 1: an emulated slower device; above 1, a faster one, only with the virtual clock.
  double speed = 1.0;
  std::optional<LinkSettings> link;  // nothing: the default link
  // 10^6 bytes that each layer's convolution may take beside its operands; nothing: a quarter of
  // the device's memory.
  std::optional<double> scratch_limit_mb = std::nullopt;
  bool operator==(const DeviceSpec&) const = default;
};

struct TrainingSpec {
  int batch_size = 64;
  std::optional<int> steps = 100;  // exactly one of steps and epochs is set
  std::optional<int> epochs;
  SgdSettings sgd;
  std::string initial_weights;  // path of a safetensors file; empty: from the seed
};

enum class ShareMode { kCalibrated, kEqual, kExplicit };
enum class BaselineMode { kFastest, kMaster, kNone };

struct DistributionSpec {
  DistributionOptions options;
  ShareMode shares = ShareMode::kCalibrated;
  std::vector<double> fractions;  // with kExplicit: one a device, none negative, sum 1
};

struct Experiment {
  std::string name;
  std::string note;  // for people: what is measured, what is assumed
  std::uint64_t seed = 1;
  DatasetSpec dataset;
  NetworkDesign network;
  TrainingSpec training;
  std::vector<DeviceSpec> devices;  // the first is the master's own; empty: all that is detected
  DistributionSpec distribution;
  LinkSettings link;  // the default of every device but the first
  ClockMode clock = ClockMode::kWall;
  BaselineMode baseline = BaselineMode::kFastest;
};

// Refuses what is malformed, unknown, of the wrong type or impossible with Error(kExperiment) that
// says file, JSON path, what was found and what is allowed. `file` is only used in messages.
Experiment parse_experiment(const std::string& json_text, const std::string& file);
Experiment read_experiment(const std::filesystem::path& path);
// "training.batch_size=64", "devices.1.speed=0.5", "network.kernels=[50,500]", as `--set` has it:
// changes the JSON text before it is parsed. The value is JSON where it parses as such, else a
// string. Objects that are missing on the way are made; the index one past a list's end appends.
// Throws Error(kExperiment) for a path that leads nowhere; unknown keys are left to the parser.
std::string with_setting(const std::string& json_text, const std::string& path_and_value,
                         const std::string& file = "experiment");
// Every value spelled out, indented; parse_experiment() reads it back to the same experiment.
std::string experiment_json(const Experiment& experiment);
// The checks of values that parse_experiment() makes, for experiments that were made by other
// means.
void validate(const Experiment& experiment, const std::string& file);

// What an experiment without devices runs on: the machine's cores in two halves (one device when
// there is only one core) and every OpenCL GPU or accelerator. OpenCL CPU runtimes share the cores
// and are left out.
std::vector<DeviceSpec> default_devices();

}  // namespace convoy
