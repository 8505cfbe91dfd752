#include "engine/training/device_forecast.h"

#include <algorithm>
#include <numeric>

#include "engine/cluster/chunks.h"

namespace convoy {
namespace {

bool is_cpu_id(const std::string& id) {
  return id.starts_with("cpu");
}

std::string known_devices(const CalibrationRecord& record) {
  std::string text;
  for (const auto& device : record.devices) {
    text += (text.empty() ? "" : ", ") + device.id;
    if (device.scratch_limit_mb)
      text += " (scratch_limit_mb " + std::to_string(*device.scratch_limit_mb) + ")";
  }
  return text;
}

// The device of the record that `spec` means; of several the one that has its name too.
std::size_t find_device(const CalibrationRecord& record, const DeviceSpec& spec,
                        std::size_t place) {
  std::size_t found = record.devices.size();
  for (std::size_t i = 0; i < record.devices.size(); ++i) {
    const auto& device = record.devices[i];
    if (device.id != spec.id || device.scratch_limit_mb != spec.scratch_limit_mb) continue;
    if (found == record.devices.size() || device.name == spec.name) found = i;
  }
  if (found == record.devices.size())
    throw Error(ErrorKind::kExperiment, "/devices/" + std::to_string(place) + "/id",
                "found \"" + spec.id + "\"" +
                    (spec.scratch_limit_mb ? " with a scratch limit of its own" : "") +
                    "; the calibration has " + known_devices(record));
  return found;
}

constexpr auto kForward = static_cast<std::size_t>(Pass::kForward);

double sum(const std::array<double, 3>& ms) {
  return ms[0] + ms[1] + ms[2];
}

}  // namespace

DeviceForecast::DeviceForecast(const CalibrationRecord& record, const Experiment& experiment)
    : record_(record),
      experiment_(experiment),
      problems_(record.network.conv_problems(record.batch_size)),
      devices_(experiment.devices) {
  if (devices_.empty())
    for (const DeviceTimes& device : record.devices)
      devices_.push_back({device.id, device.name, 1.0, std::nullopt, device.scratch_limit_mb});
  for (std::size_t i = 0; i < devices_.size(); ++i)
    found_.push_back(find_device(record, devices_[i], i));
  for (const DeviceSpec& device : devices_) links_.push_back(device.link.value_or(experiment.link));
}

bool DeviceForecast::is_cpu(std::size_t device) const {
  return is_cpu_id(devices_[device].id);
}

ShareCost DeviceForecast::cost(std::size_t device, std::size_t layer, SplitMode split) const {
  const auto& recorded = times(device).layers[layer];
  const double speed = devices_[device].speed;
  ShareCost cost = recorded.cost;
  if (recorded.split != split) {
    // What was measured by kernels is taken to be in proportion to pictures, and the reverse.
    const ConvProblem& problem = problems_[layer];
    const bool by_kernels = recorded.split == SplitMode::kKernels;
    const int recorded_whole = by_kernels ? problem.out_channels : problem.batch;
    const int whole = by_kernels ? problem.batch : problem.out_channels;
    cost = {0.0, cost.ms(recorded_whole) / whole};
  }
  return {cost.fixed_ms / speed, cost.ms_per_kernel / speed};
}

double DeviceForecast::recorded_conv_ms(std::size_t recorded) const {
  double ms = 0.0;
  for (std::size_t layer = 0; layer < problems_.size(); ++layer) {
    const auto& times = record_.devices[recorded].layers[layer];
    ms += times.cost.ms(times.split == SplitMode::kKernels ? problems_[layer].out_channels
                                                           : problems_[layer].batch);
  }
  return ms;
}

bool DeviceForecast::is_baseline(std::size_t recorded) const {
  const DeviceTimes& device = record_.devices[recorded];
  const DeviceTimes& baseline = record_.devices[static_cast<std::size_t>(record_.baseline_device)];
  return device.id == baseline.id && device.scratch_limit_mb == baseline.scratch_limit_mb;
}

std::array<double, 3> DeviceForecast::pass_ms(std::size_t device, std::size_t layer,
                                              SplitMode split, int count, int whole) const {
  const auto& recorded = times(device).layers[layer];
  std::array<double, 3> ms = recorded.ms;
  double factor = cost(device, layer, split).ms(count) / sum(ms);
  if (count == whole && is_baseline(found_[device])) {
    ms = record_.baseline_ms[layer];  // no estimate, then
    factor = 1.0 / devices_[device].speed;
  }
  for (double& value : ms) value *= factor;
  return ms;
}

std::optional<CutCost> DeviceForecast::cut_cost(std::size_t device, std::size_t layer,
                                                SplitMode split, int count) const {
  const auto& recorded = times(device).layers[layer];
  if (!works_in_parts(recorded.algorithm)) return std::nullopt;
  if (!recorded.cut_ms) return CutCost{};
  // Every chunk reads the weights once more.
  const bool by_kernels = split == SplitMode::kKernels && recorded.split == split;
  const double factor =
      (by_kernels ? static_cast<double>(count) / recorded.count : 1.0) / devices_[device].speed;
  return CutCost{recorded.cut_ms->forward * factor, recorded.cut_ms->backward * factor};
}

MovingCost DeviceForecast::moving(std::size_t device, std::size_t layer) const {
  return times(device).layers[layer].moving.scaled(1.0 / devices_[device].speed);
}

double DeviceForecast::alone_conv_ms(std::size_t device) const {
  const std::size_t recorded = found_[device];
  double ms = 0.0;
  if (is_baseline(recorded))
    for (const auto& passes : record_.baseline_ms) ms += sum(passes);
  else
    ms = recorded_conv_ms(recorded);
  return ms / devices_[device].speed;
}

// What belongs to a GPU is done by the master, a CPU does it itself.
double DeviceForecast::rest_factor(std::size_t device) const {
  if (!is_cpu(device)) return device == 0 ? 1.0 / devices_[0].speed : rest_factor(0);
  return pooling_factor(device);
}

// The rest was done by the baseline's device where that is a CPU, else by the recorded master.
// Every device is taken to be as much faster or slower at it as it is at the convolutions.
double DeviceForecast::pooling_factor(std::size_t device) const {
  std::size_t measured_on = static_cast<std::size_t>(record_.baseline_device);
  if (!is_cpu_id(record_.devices[measured_on].id)) measured_on = 0;
  const double ratio = is_cpu_id(record_.devices[measured_on].id)
                           ? recorded_conv_ms(found_[device]) / recorded_conv_ms(measured_on)
                           : 1.0;
  return ratio / devices_[device].speed;
}

double DeviceForecast::alone_step_ms(std::size_t device) const {
  double rest_ms = 0.0;
  for (const RestPart& part : record_.rest) rest_ms += part.ms;
  return alone_conv_ms(device) + rest_ms * rest_factor(device);
}

double DeviceForecast::comp_ms(const std::vector<SplitMode>& splits) const {
  return master_rest_ms(record_.rest, record_.network, splits, experiment_.distribution.options) *
         rest_factor(0);
}

PartWork DeviceForecast::part(std::size_t device, std::size_t layer, SplitMode split,
                              int count) const {
  const ConvProblem& problem = problems_[layer];
  const bool by_kernels = split == SplitMode::kKernels;
  const int whole = by_kernels ? problem.out_channels : problem.batch;
  PartWork part;
  part.problem = by_kernels ? problem.with_kernels(count) : problem.with_batch(count);
  part.moving = moving(device, layer);
  part.ms = pass_ms(device, layer, split, count, whole);
  if (options().fuse_pooling) {
    const double factor = pooling_factor(device) * static_cast<double>(count) / whole;
    part.ms[kForward] += factor * pooling_ms(record_.rest, layer, false);
    part.ms[static_cast<std::size_t>(first_backward(layer > 0))] +=
        factor * pooling_ms(record_.rest, layer, true);
  }
  if (options().resident_kernels && by_kernels)
    part.update_ms = resident_update_ms(
        part, rest_factor(device) * update_ms(record_.rest, record_.network, layer),
        problem.out_channels);
  if (device == 0) return part;
  part.cut_ms = cut_cost(device, layer, split, count);
  return with_best_cuts({split, layer > 0, {}}, part, links_[device], options(), kCalibrationNoise);
}

SplitLayer DeviceForecast::split_layer(std::size_t layer, SplitMode split) const {
  const ConvProblem& problem = problems_[layer];
  SplitLayer result;
  result.split = split;
  result.needs_grad_input = layer > 0;
  result.whole = split == SplitMode::kKernels ? problem.out_channels : problem.batch;
  for (std::size_t i = 0; i < devices_.size(); ++i) result.costs.push_back(cost(i, layer, split));
  result.part = [this, layer, split](std::size_t device, int count) {
    return part(device, layer, split, count);
  };
  for (std::size_t i = 0; i < devices_.size(); ++i) {
    std::size_t twin = std::min<std::size_t>(i, 1);
    while (twin < i && (found_[twin] != found_[i] || devices_[twin].speed != devices_[i].speed ||
                        links_[twin] != links_[i]))
      ++twin;
    result.twin.push_back(twin);
  }
  if (options().resident_kernels && split == SplitMode::kBatch)
    result.master_ms = rest_factor(0) * update_ms(record_.rest, record_.network, layer);
  return result;
}

Division DeviceForecast::divide(std::size_t layer, SplitMode split) const {
  const SplitLayer whole = split_layer(layer, split);
  const DistributionSpec& distribution = experiment_.distribution;
  const std::size_t devices = devices_.size();
  if (distribution.shares == ShareMode::kCalibrated) {
    if (options().split == SplitMode::kAuto) return best_division(whole, links_, options());
    const double each = static_cast<double>(whole.whole) / static_cast<double>(devices);
    return divided(whole, split_by_cost(whole.whole, without_noise(whole.costs, each)), links_,
                   options());
  }
  const std::vector<double> fractions =
      distribution.shares == ShareMode::kExplicit
          ? distribution.fractions
          : std::vector<double>(devices, 1.0 / static_cast<double>(devices));
  return divided(whole, split_by_fractions(whole.whole, fractions), links_, options());
}

std::vector<LayerWork> DeviceForecast::work() const {
  std::vector<LayerWork> layers;
  for (std::size_t layer = 0; layer < problems_.size(); ++layer) {
    const SplitMode split = options().split;
    Division best = divide(layer, split == SplitMode::kBatch ? split : SplitMode::kKernels);
    if (split == SplitMode::kAuto) {
      Division other = divide(layer, SplitMode::kBatch);
      if (other.ms < best.ms) best = std::move(other);
    }
    layers.push_back(std::move(best.work));
  }
  return layers;
}

}  // namespace convoy
