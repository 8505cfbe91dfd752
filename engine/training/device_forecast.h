// How long the devices of an experiment would take for its layers and for the rest of the step, by
// a calibration record. Private to the prediction study.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "engine/cluster/division.h"
#include "engine/training/calibration_record.h"

namespace convoy {

class DeviceForecast {
 public:
  // Keeps references to both. Throws Error(kExperiment) for a device that is not in the record.
  DeviceForecast(const CalibrationRecord& record, const Experiment& experiment);

  const std::vector<DeviceSpec>& devices() const { return devices_; }
  const std::vector<LinkSettings>& links() const { return links_; }

  // The layers split and divided as the experiment says, as with_links() has it in a run.
  std::vector<LayerWork> work() const;
  // What is left on the master, by its speed, when layers have these splits.
  double comp_ms(const std::vector<SplitMode>& splits) const;

  // One device doing whole steps alone.
  double alone_conv_ms(std::size_t device) const;
  double alone_step_ms(std::size_t device) const;

 private:
  using DeviceTimes = CalibrationRecord::DeviceTimes;

  const DeviceTimes& times(std::size_t device) const { return record_.devices[found_[device]]; }
  bool is_cpu(std::size_t device) const;
  // By kernel or by picture, at the device's speed.
  ShareCost cost(std::size_t device, std::size_t layer, SplitMode split) const;
  // `count` of `whole` kernels or pictures, by pass, without pooling.
  std::array<double, 3> pass_ms(std::size_t device, std::size_t layer, SplitMode split, int count,
                                int whole) const;
  // What it would take longer for each cut into chunks: nothing, where that was not measured; null
  // where it does not work in parts.
  std::optional<CutCost> cut_cost(std::size_t device, std::size_t layer, SplitMode split,
                                  int count) const;
  MovingCost moving(std::size_t device, std::size_t layer) const;
  // Whether a device of the record is the one that did whole steps alone.
  bool is_baseline(std::size_t recorded) const;
  // The convolutions of a step alone on a device of the record, from its cost lines, at speed 1.
  double recorded_conv_ms(std::size_t recorded) const;
  // How much longer the device's computer takes for what the record has as the rest of the step.
  double rest_factor(std::size_t device) const;
  // The same for the device itself, which pools.
  double pooling_factor(std::size_t device) const;
  // With so many kernels or pictures, one at least.
  PartWork part(std::size_t device, std::size_t layer, SplitMode split, int count) const;
  SplitLayer split_layer(std::size_t layer, SplitMode split) const;
  Division divide(std::size_t layer, SplitMode split) const;

  const DistributionOptions& options() const { return experiment_.distribution.options; }

  const CalibrationRecord& record_;
  const Experiment& experiment_;
  std::vector<ConvProblem> problems_;
  std::vector<DeviceSpec> devices_;
  std::vector<std::size_t> found_;  // [device], its place in the record
  std::vector<LinkSettings> links_;
};

}  // namespace convoy
