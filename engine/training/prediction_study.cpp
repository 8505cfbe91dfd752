#include "engine/training/prediction_study.h"

#include <algorithm>
#include <cmath>

#include "engine/training/device_forecast.h"

namespace convoy {
namespace {

bool same_problem(const CalibrationRecord& record, const Experiment& experiment) {
  if (record.dataset != experiment.dataset.kind || record.network.design != experiment.network)
    return false;
  return experiment.dataset.kind != DatasetKind::kFolder ||
         experiment.dataset.image_size.value_or(32) == record.network.in_height;
}

std::size_t baseline_of(const DeviceForecast& forecast, BaselineMode mode) {
  std::size_t best = 0;
  if (mode == BaselineMode::kMaster) return best;
  for (std::size_t i = 1; i < forecast.devices().size(); ++i)
    if (forecast.alone_conv_ms(i) < forecast.alone_conv_ms(best)) best = i;
  return best;
}

std::string name_of(const DeviceSpec& device) {
  return device.name.empty() ? device.id : device.name;
}

// "3", "2.7", "0.031": two significant digits, all those before the dot.
std::string rounded(double value) {
  char text[48];
  const int digits = value >= 10.0 ? 0 : value >= 1.0 ? 1 : value >= 0.1 ? 2 : 3;
  std::snprintf(text, sizeof text, "%.*f", digits, value);
  std::string number = text;
  if (number.ends_with(".0")) number.resize(number.size() - 2);
  return number;
}

std::string bandwidth(const std::optional<double>& mbps) {
  if (!mbps) return "unlimited bandwidth";
  return *mbps >= 1000.0 ? rounded(*mbps / 1000.0) + " Gb/s" : rounded(*mbps) + " Mb/s";
}

std::string times_text(double factor) {
  char text[48];
  std::snprintf(text, sizeof text, factor < 10.0 ? "%.2f times" : "%.0f times", factor);
  return text;
}

// What is slower or faster than these shows where speedups have two digits behind the dot.
constexpr double kAsFast = 0.995, kFaster = 1.005;

// With split kAuto the first work leaves the master long before that can be seen.
bool pays(const Prediction& prediction, const Experiment& experiment) {
  const bool automatic = experiment.distribution.options.split == SplitMode::kAuto;
  return prediction.distributed() && *prediction.speedup >= (automatic ? kFaster : 1.0);
}

bool uses_default_link(const Experiment& experiment) {
  const auto& devices = experiment.devices;
  return devices.size() < 2 || std::any_of(devices.begin() + 1, devices.end(),
                                           [](const DeviceSpec& device) { return !device.link; });
}

// Without a baseline in the experiment there is still a question.
Experiment compared(Experiment experiment) {
  if (experiment.baseline == BaselineMode::kNone) experiment.baseline = BaselineMode::kFastest;
  return experiment;
}

}  // namespace

PredictionStudy::PredictionStudy(std::vector<CalibrationRecord> records) {
  for (CalibrationRecord& record : records) add(std::move(record));
}

void PredictionStudy::add(CalibrationRecord record) {
  for (CalibrationRecord& other : records_)
    if (other.dataset == record.dataset && other.batch_size == record.batch_size &&
        other.network.design == record.network.design &&
        other.network.in_height == record.network.in_height) {
      other = std::move(record);
      return;
    }
  records_.push_back(std::move(record));
}

const CalibrationRecord* PredictionStudy::record_of(const Experiment& experiment) const {
  for (const CalibrationRecord& record : records_)
    if (same_problem(record, experiment) && record.batch_size == experiment.training.batch_size)
      return &record;
  return nullptr;
}

const CalibrationRecord& PredictionStudy::needed_record(const Experiment& experiment) const {
  if (const CalibrationRecord* record = record_of(experiment)) return *record;
  std::string known;
  for (const CalibrationRecord& other : records_)
    known += (known.empty() ? "" : ", ") + network_name(other.network.design) + " on " +
             std::string(dataset_kind_name(other.dataset)) + " at batch size " +
             std::to_string(other.batch_size);
  throw Error(ErrorKind::kExperiment, "",
              "there is no calibration of the network " + network_name(experiment.network) +
                  " on " + std::string(dataset_kind_name(experiment.dataset.kind)) +
                  " at batch size " + std::to_string(experiment.training.batch_size) + "; " +
                  (known.empty() ? "there is none at all" : "there is " + known));
}

bool Prediction::distributed() const {
  for (const std::vector<int>& layer : counts)
    for (std::size_t device = 1; device < layer.size(); ++device)
      if (layer[device] > 0) return true;
  return false;
}

Prediction PredictionStudy::predict(const Experiment& experiment) const {
  const CalibrationRecord& record = needed_record(experiment);
  const DeviceForecast forecast(record, experiment);
  Prediction prediction;
  const std::vector<LayerWork> layers = forecast.work();
  for (const LayerWork& layer : layers) {
    prediction.split.push_back(layer.split);
    auto& counts = prediction.counts.emplace_back();
    for (const PartWork& part : layer.parts)
      counts.push_back(layer.split == SplitMode::kKernels ? part.problem.out_channels
                                                          : part.problem.batch);
  }
  prediction.step = predict_step(layers, forecast.links(), experiment.distribution.options,
                                 forecast.comp_ms(prediction.split));
  for (const DeviceSpec& device : forecast.devices()) prediction.devices.push_back(name_of(device));
  if (experiment.baseline == BaselineMode::kNone) return prediction;
  const std::size_t baseline = baseline_of(forecast, experiment.baseline);
  prediction.baseline = prediction.devices[baseline];
  prediction.baseline_step_ms = forecast.alone_step_ms(baseline);
  prediction.speedup = *prediction.baseline_step_ms / prediction.step.step_ms;
  return prediction;
}

std::vector<CurvePoint> PredictionStudy::over_bandwidth(const Experiment& experiment,
                                                        const std::vector<double>& mbps) const {
  std::vector<CurvePoint> curve;
  for (const double value : mbps)
    curve.push_back({value, predict(with_bandwidth(experiment, value))});
  return curve;
}

std::vector<CurvePoint> PredictionStudy::over_devices(const Experiment& experiment) const {
  Experiment all = experiment;
  if (all.devices.empty()) all.devices = DeviceForecast(needed_record(all), experiment).devices();
  std::vector<CurvePoint> curve;
  for (int count = 1; count <= static_cast<int>(all.devices.size()); ++count)
    curve.push_back({static_cast<double>(count), predict(with_devices(all, count))});
  return curve;
}

std::vector<int> PredictionStudy::batch_sizes(const Experiment& experiment) const {
  std::vector<int> sizes;
  for (const CalibrationRecord& record : records_)
    if (same_problem(record, experiment)) sizes.push_back(record.batch_size);
  std::sort(sizes.begin(), sizes.end());
  return sizes;
}

std::vector<CurvePoint> PredictionStudy::over_batch(const Experiment& experiment) const {
  std::vector<CurvePoint> curve;
  for (const int size : batch_sizes(experiment)) {
    Experiment other = experiment;
    other.training.batch_size = size;
    curve.push_back({static_cast<double>(size), predict(other)});
  }
  return curve;
}

BreakEven break_even_of(const std::function<bool(std::optional<double> mbps)>& pays) {
  constexpr int kLeastPower = -2, kMostPower = 9;  // of ten, in Mb/s
  if (!pays(std::nullopt)) return {BreakEven::Kind::kNever, 0.0};
  double paying = std::pow(10.0, kMostPower);
  const auto losing = [&]() -> std::optional<double> {
    for (int power = kMostPower - 1; power >= kLeastPower; --power)
      for (const double step : {10.0, 8.0, 6.3, 5.0, 4.0, 3.2, 2.5, 2.0, 1.6, 1.25, 1.0}) {
        const double mbps = step * std::pow(10.0, power);
        if (!pays(mbps)) return mbps;
        paying = mbps;
      }
    return std::nullopt;
  }();
  if (!losing) return {BreakEven::Kind::kAlways, 0.0};
  double low = std::log(*losing), high = std::log(paying);
  for (int round = 0; round < 48 && low < high; ++round) {
    const double middle = 0.5 * (low + high);
    (pays(std::exp(middle)) ? high : low) = middle;
  }
  return {BreakEven::Kind::kAt, std::exp(high)};
}

BreakEven PredictionStudy::break_even(const Experiment& experiment) const {
  const Experiment asked = compared(experiment);
  if (predict(asked).devices.size() < 2) return {BreakEven::Kind::kAlways, 0.0};
  if (!uses_default_link(asked)) return {BreakEven::Kind::kUnasked, 0.0};
  return break_even_of([&](std::optional<double> mbps) {
    const Experiment there = with_bandwidth(asked, mbps);
    return pays(predict(there), there);
  });
}

std::string PredictionStudy::verdict(const Experiment& experiment, const BreakEven& even) const {
  const Experiment asked = compared(experiment);
  const Prediction now = predict(asked);
  if (now.devices.size() < 2) return "One device alone: nothing is distributed.";
  const auto& here = asked.link.bandwidth_mbps;
  const std::string where = even.kind == BreakEven::Kind::kUnasked ? "over the devices' own links"
                                                                   : "at " + bandwidth(here),
                    from = bandwidth(even.bandwidth_mbps);
  const bool at = even.kind == BreakEven::Kind::kAt;
  const bool below = at && here && *here < even.bandwidth_mbps;
  char share[32];
  std::snprintf(share, sizeof share, "%.0f %%", 100.0 * std::max(0.0, now.comm_share()));
  if (pays(now, asked)) {
    const std::string text = "Worth it: " + where + " a step is " + times_text(*now.speedup) +
                             " as fast as on " + now.baseline + " alone; communication takes " +
                             share + " of it.";
    if (!at) return text;
    // A curve may fall again.
    if (below) return text + " That is not so at all bandwidths below " + from + ".";
    const bool as_fast =
        *predict(with_bandwidth(asked, 0.5 * even.bandwidth_mbps)).speedup > kAsFast;
    return text + " Below " + from + (as_fast ? " nothing is gained." : " it is not.");
  }
  const std::string scope = below                                  ? " below " + from
                            : even.kind == BreakEven::Kind::kNever ? " at any bandwidth"
                                                                   : "";
  const bool as_fast = *now.speedup > kAsFast;
  const std::string compared_time =
      (as_fast ? "as long as on " : times_text(1.0 / *now.speedup) + " as long as on ") +
      now.baseline + " alone";
  if (!now.distributed())
    return "Nothing is gained" + scope + ": " + where + " all work stays on " + now.devices[0] +
           ", for moving any would take longer than it saves" +
           (now.baseline == now.devices[0] ? "." : "; a step takes " + compared_time + ".");
  if (as_fast)
    return "Nothing is gained" + scope + ": " + where + " a step takes " + compared_time + ".";
  return "Not worth it" + scope + ": " + where + " communication takes " + share +
         " of the step, which is " + compared_time + ".";
}

Experiment with_bandwidth(Experiment experiment, std::optional<double> mbps) {
  experiment.link.bandwidth_mbps = mbps;
  return experiment;
}

std::string break_even_text(const BreakEven& break_even) {
  switch (break_even.kind) {
    case BreakEven::Kind::kAlways:
      return "always: at any bandwidth the devices together are at least as fast as the baseline";
    case BreakEven::Kind::kNever:
      return "never: even at unlimited bandwidth nothing is gained on the baseline";
    case BreakEven::Kind::kUnasked:
      return "none: every device has a link of its own, the default link's bandwidth changes "
             "nothing";
    case BreakEven::Kind::kAt:
      break;
  }
  return bandwidth(break_even.bandwidth_mbps);
}

std::vector<double> curve_bandwidths() {
  std::vector<double> mbps;
  for (double decade = 1.0; decade < 1e5; decade *= 10.0)
    for (const double step : {1.0, 2.0, 5.0}) mbps.push_back(decade * step);
  mbps.push_back(1e5);
  return mbps;
}

}  // namespace convoy
