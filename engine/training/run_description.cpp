#include "engine/training/run_description.h"

#include <algorithm>
#include <cstdio>

namespace convoy {

RunSummary describe_summary(const Experiment& experiment, const std::string& run_id) {
  RunSummary summary;
  summary.run = run_id;
  summary.name = experiment.name.empty() ? network_name(experiment.network) : experiment.name;
  summary.dataset = std::string(dataset_kind_name(experiment.dataset.kind));
  summary.network = network_name(experiment.network);
  summary.batch_size = experiment.training.batch_size;
  summary.devices = static_cast<int>(experiment.devices.size());
  summary.bandwidth_mbps = experiment.link.bandwidth_mbps;
  summary.split = split_mode_name(experiment.distribution.options.split);
  summary.version = CONVOY_VERSION;
  return summary;
}

RunStarted describe_start(const RunSetup& setup, const RunSummary& summary) {
  RunStarted started;
  started.run = summary.run;
  started.name = summary.name;
  started.dataset = summary.dataset;
  started.network = summary.network;
  started.batch_size = summary.batch_size;
  started.steps = setup.steps;
  started.steps_per_epoch = setup.steps_per_epoch;
  started.split = summary.split;
  started.devices = setup.devices.described;
  started.layers = setup.problems;
  started.bandwidth_mbps = summary.bandwidth_mbps;
  started.experiment_json = experiment_json(setup.experiment);
  return started;
}

RunCalibrated describe_calibration(const ClusterPlan& plan, int devices) {
  RunCalibrated calibrated;
  for (const LayerPlan& layer : plan.layers) {
    auto& row = calibrated.layers.emplace_back();
    for (std::size_t device = 0; device < static_cast<std::size_t>(devices); ++device) {
      const ConvMeasurement& measured = layer.measured[device];
      const ConvProblem measured_problem =
          layer.part(device, 0, layer.measured_counts[device], {}).problem;
      const double passes = layer.needs_grad_input ? 3.0 : 2.0;
      const double gflop = measured_problem.flops() * passes / 1e9;
      row.push_back({measured_problem.out_channels, measured.ms,
                     measured.total_ms() > 0.0 ? gflop / measured.total_ms() * 1e3 : 0.0,
                     measured.algorithm, measured.chosen_by, measured.scratch_bytes});
    }
    calibrated.kernels.push_back(layer.kernels);
    calibrated.pictures.push_back(layer.pictures);
  }
  for (int device = 0; device < devices; ++device) {
    calibrated.share.push_back(plan.share(device));
    calibrated.gflops.push_back(plan.gflops(device));
  }
  return calibrated;
}

std::string describe_scratch(const ClusterPlan& plan, const std::vector<std::string>& names) {
  std::string text;
  for (std::size_t device = 0; device < names.size(); ++device) {
    std::size_t most = 0;
    for (const LayerPlan& layer : plan.layers)
      most = std::max(most, layer.measured[device].scratch_bytes);
    char size[48];
    std::snprintf(size, sizeof size, " %.1f MB", static_cast<double>(most) / 1e6);
    text += (text.empty() ? "Scratch memory: " : ", ") + names[device] + size;
  }
  return text + ".";
}

std::vector<std::string> describe_slow_algorithms(const ClusterPlan& plan,
                                                  const std::vector<std::string>& names) {
  std::vector<std::string> sentences;
  for (std::size_t layer = 0; layer < plan.layers.size(); ++layer)
    for (std::size_t device = 0; device < names.size(); ++device) {
      const auto& algorithms = plan.layers[layer].measured[device].algorithm;
      if (std::find(algorithms.begin(), algorithms.end(), "reference") == algorithms.end())
        continue;
      sentences.push_back("Device " + names[device] + " computes layer " +
                          std::to_string(layer + 1) +
                          " with the plain reference, which is slow: its scratch_limit_mb leaves "
                          "no room for anything else.");
    }
  return sentences;
}

std::string bandwidth_text(const LinkSettings& link) {
  if (!link.bandwidth_mbps) return "unlimited";
  char text[48];
  std::snprintf(text, sizeof text, "%g Mb/s", *link.bandwidth_mbps);
  return text;
}

}  // namespace convoy
