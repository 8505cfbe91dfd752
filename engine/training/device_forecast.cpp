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
constexpr auto kBackwardWeights = static_cast<std::size_t>(Pass::kBackwardWeights);

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
}

std::vector<LinkSettings> DeviceForecast::links() const {
  std::vector<LinkSettings> links;
  for (const DeviceSpec& device : devices_) links.push_back(device.link.value_or(experiment_.link));
  return links;
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

LayerWork DeviceForecast::layer_work(std::size_t layer, SplitMode split) const {
  const DistributionOptions& options = experiment_.distribution.options;
  const ConvProblem& problem = problems_[layer];
  const std::size_t devices = devices_.size();
  const int whole = split == SplitMode::kKernels ? problem.out_channels : problem.batch;
  std::vector<ShareCost> costs;
  for (std::size_t i = 0; i < devices; ++i) costs.push_back(cost(i, layer, split));

  const double each = static_cast<double>(whole) / static_cast<double>(devices);
  const std::vector<ShareCost> compute = without_noise(costs, each);
  const DistributionSpec& distribution = experiment_.distribution;
  if (distribution.shares == ShareMode::kExplicit)
    return parts_of(layer, split, split_by_fractions(whole, distribution.fractions));
  if (distribution.shares != ShareMode::kCalibrated)
    return parts_of(layer, split,
                    split_by_fractions(
                        whole, std::vector<double>(devices, 1.0 / static_cast<double>(devices))));
  std::vector<int> counts = split_by_cost(whole, compute);
  if (options.split != SplitMode::kAuto) return parts_of(layer, split, counts);
  // As with_link_costs() has it.
  for (int& count : counts) count = std::max(count, 1);
  const std::vector<ShareCost> costs_of_links =
      link_costs(parts_of(layer, split, counts), links(), options);
  const auto divided = [&](const std::vector<ShareCost>& link) {
    return parts_of(layer, split, split_by_cost(whole, sum_of(compute, link)));
  };
  return divided(best_part_of(costs_of_links, [&](const std::vector<ShareCost>& link) {
    return predict_step({divided(link)}, links(), options, 0.0).step_ms;
  }));
}

LayerWork DeviceForecast::parts_of(std::size_t layer, SplitMode split,
                                   const std::vector<int>& counts) const {
  const DistributionOptions& options = experiment_.distribution.options;
  const ConvProblem& problem = problems_[layer];
  const std::size_t devices = devices_.size();
  const int whole = split == SplitMode::kKernels ? problem.out_channels : problem.batch;
  LayerWork work{split, layer > 0, {}};
  for (std::size_t i = 0; i < devices; ++i) {
    const double fraction = static_cast<double>(counts[i]) / whole;
    PartWork part;
    part.problem = split == SplitMode::kKernels ? problem.with_kernels(counts[i])
                                                : problem.with_batch(counts[i]);
    part.moving = moving(i, layer);
    if (counts[i] > 0) {
      part.ms = pass_ms(i, layer, split, counts[i], whole);
      if (options.fuse_pooling) {
        const double factor = pooling_factor(i) * fraction;
        part.ms[kForward] += factor * pooling_ms(record_.rest, layer, false);
        part.ms[kBackwardWeights] += factor * pooling_ms(record_.rest, layer, true);
      }
      if (options.resident_kernels && split == SplitMode::kKernels)
        part.update_ms = resident_update_ms(
            part, rest_factor(i) * update_ms(record_.rest, record_.network, layer),
            problem.out_channels);
      if (i > 0) part.cut_ms = cut_cost(i, layer, split, counts[i]);
    }
    work.parts.push_back(part);
  }
  const std::vector<LinkSettings> over = links();
  for (std::size_t i = 1; i < devices; ++i)
    if (counts[i] > 0)
      work.parts[i] = with_best_cuts(work, work.parts[i], over[i], options, kCalibrationNoise);
  return work;
}

std::vector<LayerWork> DeviceForecast::work(const std::vector<SplitMode>& splits) const {
  std::vector<LayerWork> layers;
  for (std::size_t layer = 0; layer < problems_.size(); ++layer)
    layers.push_back(layer_work(layer, splits[layer]));
  return layers;
}

}  // namespace convoy
