#include "engine/training/calibration_record.h"

#include <algorithm>

#include "engine/cluster/chunks.h"

namespace convoy {
namespace {

using LayerTimes = CalibrationRecord::LayerTimes;

double sum(const std::array<double, 3>& ms) {
  return ms[0] + ms[1] + ms[2];
}

// The device that did whole steps alone has one more point of its cost line, and so has every
// device that is the same one.
void add_whole_layer(LayerTimes& times, int whole, double whole_ms) {
  times.cost = share_cost(whole, whole_ms, times.count, sum(times.ms));
}

// A device that was measured at one count only has the proportions of the fixed cost from the one
// that did whole steps.
void take_over_shape(LayerTimes& times, const ShareCost& known) {
  const double factor = sum(times.ms) / known.ms(times.count);
  times.cost = {known.fixed_ms * factor, known.ms_per_kernel * factor};
}

// What pooling the part took, by the baseline's time for all of it; `factor` times as long on the
// device. Something always remains for the convolution.
void take_out_pooling(const CalibrationRecord& record, std::size_t layer, int whole, double factor,
                      LayerTimes& times) {
  constexpr double kLeast = 0.2;
  const double before_ms = sum(times.ms);
  const double part = factor * times.count / whole;
  const auto take_out = [&](Pass pass, bool backward) {
    double& ms = times.ms[static_cast<std::size_t>(pass)];
    ms = std::max(kLeast * ms, ms - part * pooling_ms(record.rest, layer, backward));
  };
  take_out(Pass::kForward, false);
  take_out(first_backward(layer > 0), true);
  const double left = sum(times.ms) / before_ms;
  times.cost = {times.cost.fixed_ms * left, times.cost.ms_per_kernel * left};
}

// As it would be in one piece, which is what a record has.
LayerPlan uncut(LayerPlan layer) {
  for (std::size_t device = 0; device < layer.cuts.size(); ++device)
    if (layer.cuts[device].any()) layer = with_cuts(std::move(layer), device, {});
  return layer;
}

}  // namespace

bool all_measured(const ClusterPlan& plan) {
  return std::all_of(plan.layers.begin(), plan.layers.end(), [](const LayerPlan& layer) {
    return std::all_of(layer.measured_counts.begin(), layer.measured_counts.end(),
                       [](int count) { return count > 0; });
  });
}

CalibrationRecord make_record(const Experiment& experiment, const NetworkSpec& network,
                              const std::vector<DeviceSpec>& devices, const ClusterPlan& plan,
                              int baseline_device, const BaselineTimes& baseline) {
  CalibrationRecord record;
  record.dataset = experiment.dataset.kind;
  record.network = network;
  record.batch_size = experiment.training.batch_size;
  record.baseline_device = baseline_device;
  const auto own = static_cast<std::size_t>(baseline_device);
  for (std::array<double, 3> layer_ms : baseline.layer_ms) {
    for (double& ms : layer_ms) ms *= devices[own].speed;
    record.baseline_ms.push_back(layer_ms);
  }
  for (const RestPart& part : baseline.rest)
    record.rest.push_back({part.name, part.ms * baseline.rest_speed});

  // Of the device to that of the baseline, as they are.
  const auto speed_ratio = [&](std::size_t device) {
    return plan.alone_ms(static_cast<int>(device)) * devices[device].speed /
           (plan.alone_ms(baseline_device) * devices[own].speed);
  };
  for (std::size_t i = 0; i < devices.size(); ++i) {
    const DeviceSpec& spec = devices[i];
    CalibrationRecord::DeviceTimes device{
        spec.id, spec.name.empty() ? spec.id : spec.name, spec.scratch_limit_mb, {}};
    for (std::size_t number = 0; number < plan.layers.size(); ++number) {
      const LayerPlan layer = uncut(plan.layers[number]);
      LayerTimes times;
      times.split = layer.split;
      times.count = layer.measured_counts[i];
      times.algorithm = layer.measured[i].algorithm;
      times.moving = layer.measured[i].moving.scaled(spec.speed);
      for (std::size_t pass = 0; pass < 3; ++pass)
        times.ms[pass] = layer.measured[i].ms[pass] * spec.speed;
      times.cost = {layer.cost[i].fixed_ms * spec.speed, layer.cost[i].ms_per_kernel * spec.speed};
      if (!layer.cut_ms.empty() && layer.cut_ms[i])
        times.cut_ms =
            CutCost{layer.cut_ms[i]->forward * spec.speed, layer.cut_ms[i]->backward * spec.speed};
      if (experiment.distribution.options.fuse_pooling)
        take_out_pooling(record, number, layer.whole(), speed_ratio(i), times);
      device.layers.push_back(times);
    }
    record.devices.push_back(std::move(device));
  }
  for (std::size_t number = 0; number < plan.layers.size(); ++number) {
    const int whole = plan.layers[number].whole();
    const double whole_ms = sum(record.baseline_ms[number]);
    LayerTimes& known = record.devices[own].layers[number];
    add_whole_layer(known, whole, whole_ms);
    for (std::size_t i = 0; i < devices.size(); ++i) {
      if (i == own) continue;
      LayerTimes& times = record.devices[i].layers[number];
      if (devices[i].id == devices[own].id &&
          devices[i].scratch_limit_mb == devices[own].scratch_limit_mb)
        add_whole_layer(times, whole, whole_ms);
      else if (times.cost.fixed_ms == 0.0)
        take_over_shape(times, known.cost);
    }
  }
  return record;
}

}  // namespace convoy
