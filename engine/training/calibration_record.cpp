#include "engine/training/calibration_record.h"

#include <algorithm>

namespace convoy {
namespace {

// A second point of the cost line of the device that did whole steps alone.
void add_whole_layer(CalibrationRecord::LayerTimes& times, int whole, double whole_ms) {
  const double ms = times.ms[0] + times.ms[1] + times.ms[2];
  times.cost = share_cost(times.count, ms, whole, whole_ms);
}

}  // namespace

CalibrationRecord make_record(const Experiment& experiment, const NetworkSpec& network,
                              const std::vector<DeviceSpec>& devices, const ClusterPlan& plan,
                              int baseline_device, const BaselineTimes& baseline) {
  CalibrationRecord record;
  record.dataset = experiment.dataset.kind;
  record.network = network;
  record.batch_size = experiment.training.batch_size;
  record.fuse_pooling = experiment.distribution.options.fuse_pooling;
  record.baseline_device = baseline_device;
  const auto own = static_cast<std::size_t>(baseline_device);
  record.baseline_conv_ms = baseline.conv_ms * devices[own].speed;
  for (const RestPart& part : baseline.rest)
    record.rest.push_back({part.name, part.ms * baseline.rest_speed});

  for (std::size_t i = 0; i < devices.size(); ++i) {
    const DeviceSpec& spec = devices[i];
    CalibrationRecord::DeviceTimes device{
        spec.id, spec.name.empty() ? spec.id : spec.name, spec.scratch_limit_mb, {}};
    for (std::size_t number = 0; number < plan.layers.size(); ++number) {
      const LayerPlan& layer = plan.layers[number];
      CalibrationRecord::LayerTimes times;
      times.split = layer.split;
      times.count = layer.measured_counts[i];
      times.algorithm = layer.measured[i].algorithm;
      for (std::size_t pass = 0; pass < 3; ++pass)
        times.ms[pass] = layer.measured[i].ms[pass] * spec.speed;
      times.cost = {layer.cost[i].fixed_ms * spec.speed, layer.cost[i].ms_per_kernel * spec.speed};
      device.layers.push_back(times);
    }
    record.devices.push_back(std::move(device));
  }
  for (std::size_t number = 0; number < plan.layers.size(); ++number) {
    const auto& ms = baseline.layer_ms[number];
    add_whole_layer(record.devices[own].layers[number], plan.layers[number].whole(),
                    (ms[0] + ms[1] + ms[2]) * devices[own].speed);
  }
  return record;
}

}  // namespace convoy
