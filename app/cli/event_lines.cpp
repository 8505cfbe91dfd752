#include "app/cli/event_lines.h"

#include <cerrno>
#include <cstring>
#include <iostream>
#include <nlohmann/json.hpp>

#include "engine/base/error.h"
#include "engine/results/device_work.h"

namespace convoy::cli {
namespace {

using nlohmann::ordered_json;

template <class Value>
ordered_json optional_json(const std::optional<Value>& value) {
  return value ? ordered_json(*value) : ordered_json();
}

ordered_json device_json(const RunDevice& device) {
  ordered_json json = {{"name", device.name},
                       {"id", device.info.id},
                       {"device_name", device.info.name},
                       {"kind", device_kind_name(device.info.kind)},
                       {"speed", device.speed},
                       {"link", nullptr}};
  if (device.link)
    json["link"] = {{"bandwidth_mbps", optional_json(device.link->bandwidth_mbps)},
                    {"latency_ms", device.link->latency_ms},
                    {"duplex", device.link->duplex == Duplex::kFull ? "full" : "half"}};
  return json;
}

// What was measured of one device on one layer; only of the passes that the layer needs.
ordered_json layer_json(const LayerCalibration& measured) {
  ordered_json json = {{"kernels", measured.kernels}};
  for (const Pass pass : kAllPasses) {
    const auto i = static_cast<std::size_t>(pass);
    if (measured.algorithm[i].empty()) continue;
    json[pass_name(pass)] = {{"ms", measured.ms[i]},
                             {"algorithm", measured.algorithm[i]},
                             {"chosen_by", chosen_by_name(measured.chosen_by[i])}};
  }
  json["gflops"] = measured.gflops;
  json["scratch_bytes"] = measured.scratch_bytes;
  return json;
}

const char* severity_name(Severity severity) {
  switch (severity) {
    case Severity::kInfo:
      return "info";
    case Severity::kWarning:
      return "warning";
    case Severity::kError:
      break;
  }
  return "error";
}

}  // namespace

EventLines::EventLines(const std::string& path) : path_(path), out_(&std::cout) {
  if (path == "-") return;
  file_.open(path);
  if (!file_)
    throw Error(ErrorKind::kRun, path,
                std::string("cannot create the file of --events: ") + std::strerror(errno));
  out_ = &file_;
}

void EventLines::write(const ordered_json& event) {
  *out_ << event.dump(-1, ' ', false, ordered_json::error_handler_t::replace) << '\n' << std::flush;
  if (!*out_)
    throw Error(ErrorKind::kRun, path_ == "-" ? "standard output" : path_,
                std::string("cannot write the events: ") + std::strerror(errno));
}

void EventLines::on_started(const RunStarted& started) {
  ordered_json devices = ordered_json::array(), layers = ordered_json::array();
  for (const RunDevice& device : started.devices) {
    devices_.push_back(device.name);
    devices.push_back(device_json(device));
  }
  for (const ConvProblem& layer : started.layers) layers.push_back(layer.describe());
  write({{"event", "started"},
         {"run", started.run},
         {"name", started.name},
         {"dataset", started.dataset},
         {"network", started.network},
         {"batch_size", started.batch_size},
         {"steps", started.steps},
         {"steps_per_epoch", started.steps_per_epoch},
         {"split", started.split},
         {"bandwidth_mbps", optional_json(started.bandwidth_mbps)},
         {"devices", devices},
         {"layers", layers}});
}

void EventLines::on_phase(RunPhase phase, const std::string& what, int done, int total) {
  write({{"event", "phase"},
         {"phase", run_phase_name(phase)},
         {"what", what},
         {"done", done},
         {"total", total}});
}

void EventLines::on_calibrated(const RunCalibrated& calibrated) {
  ordered_json layers = ordered_json::array();
  for (const std::vector<LayerCalibration>& layer : calibrated.layers) {
    ordered_json& row = layers.emplace_back(ordered_json::array());
    for (const LayerCalibration& device : layer) row.push_back(layer_json(device));
  }
  write({{"event", "calibrated"},
         {"kernels", calibrated.kernels},
         {"pictures", calibrated.pictures},
         {"share", calibrated.share},
         {"gflops", calibrated.gflops},
         {"layers", layers},
         {"predicted_step_ms", optional_json(calibrated.predicted_step_ms)}});
}

void EventLines::on_baseline(const RunBaseline& baseline) {
  write({{"event", "baseline"},
         {"baseline", baseline.name},
         {"baseline_step_ms", baseline.step_ms},
         {"conv_ms", baseline.conv_ms},
         {"comp_ms", baseline.comp_ms},
         {"amdahl_limit", baseline.amdahl_limit}});
}

void EventLines::on_step(const RunStep& step) {
  std::vector<DeviceWork> work(devices_.size());
  for (const Slice& slice : step.slices) work.at(static_cast<std::size_t>(slice.device)).add(slice);
  ordered_json devices = ordered_json::array();
  for (std::size_t i = 0; i < work.size(); ++i)
    devices.push_back({{"device", devices_[i]},
                       {"conv_ms", work[i].conv_ms},
                       {"send_ms", work[i].send_ms},
                       {"receive_ms", work[i].receive_ms},
                       {"wait_ms", work[i].wait_ms},
                       {"bytes_sent", work[i].bytes_sent},
                       {"bytes_received", work[i].bytes_received}});
  write({{"event", "step"},
         {"step", step.step},
         {"epoch", step.epoch},
         {"step_ms", step.step_ms},
         {"conv_ms", step.conv_ms},
         {"comm_ms", step.comm_ms},
         {"comp_ms", step.comp_ms},
         {"loss", step.loss},
         {"train_accuracy", step.train_accuracy},
         {"warm_up", step.warm_up},
         {"bandwidth_mbps", optional_json(step.bandwidth_mbps)},
         {"devices", devices}});
}

void EventLines::on_quarantine(const RunQuarantine& quarantine) {
  write({{"event", "quarantine"},
         {"step", quarantine.step},
         {"device", quarantine.name},
         {"during", quarantine.during},
         {"reason", quarantine.reason},
         {"hanging", quarantine.hanging}});
}

void EventLines::on_readmission(const RunReadmission& readmission) {
  write({{"event", "readmission"}, {"step", readmission.step}, {"device", readmission.name}});
}

void EventLines::on_shares(const RunShares& shares) {
  write({{"event", "shares"},
         {"step", shares.step},
         {"change", share_change_name(shares.change)},
         {"reason", shares.reason},
         {"kernels", shares.kernels},
         {"pictures", shares.pictures},
         {"share", shares.share}});
}

void EventLines::on_message(Severity severity, const std::string& text) {
  write({{"event", "message"}, {"severity", severity_name(severity)}, {"text", text}});
}

void EventLines::on_finished(const RunSummary& s) {
  write({{"event", "finished"},
         {"outcome", run_outcome_name(s.outcome)},
         {"failure", s.failure.empty() ? ordered_json() : ordered_json(s.failure)},
         {"run", s.run},
         {"steps", s.steps},
         {"step_ms", optional_json(s.step_ms)},
         {"step_ms_p10", optional_json(s.step_ms_p10)},
         {"step_ms_p90", optional_json(s.step_ms_p90)},
         {"conv_ms", optional_json(s.conv_ms)},
         {"comm_ms", optional_json(s.comm_ms)},
         {"comp_ms", optional_json(s.comp_ms)},
         {"conv_share", optional_json(s.conv_share)},
         {"baseline", s.baseline},
         {"baseline_step_ms", optional_json(s.baseline_step_ms)},
         {"speedup", optional_json(s.speedup)},
         {"efficiency", optional_json(s.efficiency)},
         {"gradient_difference", optional_json(s.gradient_difference)},
         {"amdahl_limit", optional_json(s.amdahl_limit)},
         {"predicted_step_ms", optional_json(s.predicted_step_ms)},
         {"images_per_s", optional_json(s.images_per_s)},
         {"loss", optional_json(s.loss)},
         {"test_accuracy", optional_json(s.test_accuracy)},
         {"version", s.version}});
}

}  // namespace convoy::cli
