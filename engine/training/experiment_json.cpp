#include <cmath>
#include <nlohmann/json.hpp>

#include "engine/base/number_text.h"
#include "engine/training/experiment.h"
#include "engine/training/experiment_names.h"

namespace convoy {
namespace {

using nlohmann::ordered_json;

// JSON has no NaN and no infinity; as text they are refused by the parser with their name.
ordered_json number_json(double value) {
  if (std::isfinite(value)) return value;
  return number_text(value);
}

template <class Value>
ordered_json optional_json(const std::optional<Value>& value) {
  return value ? ordered_json(*value) : ordered_json();
}

ordered_json path_json(const std::string& path) {
  return path.empty() ? ordered_json() : ordered_json(path);
}

ordered_json link_json(const LinkSettings& link) {
  return {{"bandwidth_mbps", link.bandwidth_mbps ? number_json(*link.bandwidth_mbps) : nullptr},
          {"latency_ms", number_json(link.latency_ms)},
          {"duplex", kDuplexes[link.duplex == Duplex::kFull ? 0 : 1]}};
}

ordered_json device_json(const DeviceSpec& device) {
  ordered_json object = {{"id", device.id},
                         {"name", device.name.empty() ? device.id : device.name},
                         {"speed", number_json(device.speed)}};
  if (device.link) object["link"] = link_json(*device.link);
  object["scratch_limit_mb"] =
      device.scratch_limit_mb ? number_json(*device.scratch_limit_mb) : ordered_json();
  return object;
}

ordered_json shares_json(const DistributionSpec& distribution) {
  if (distribution.shares == ShareMode::kCalibrated) return kShareModes[0];
  if (distribution.shares == ShareMode::kEqual) return kShareModes[1];
  ordered_json list = ordered_json::array();
  for (const double fraction : distribution.fractions) list.push_back(number_json(fraction));
  return list;
}

}  // namespace

std::string experiment_json(const Experiment& experiment) {
  const DatasetSpec& dataset = experiment.dataset;
  const TrainingSpec& training = experiment.training;
  const DistributionSpec& distribution = experiment.distribution;
  ordered_json root;
  root["name"] = experiment.name;
  root["note"] = experiment.note;
  root["seed"] = experiment.seed;
  root["dataset"] = {{"kind", dataset_kind_name(dataset.kind)},
                     {"path", path_json(dataset.path)},
                     {"train_limit", optional_json(dataset.train_limit)},
                     {"test_limit", optional_json(dataset.test_limit)},
                     {"shuffle", dataset.shuffle},
                     {"image_size", optional_json(dataset.image_size)}};
  root["network"] = {
      {"kernels", experiment.network.kernels},
      {"kernel_size", experiment.network.kernel_size},
      {"padding", kPaddings[experiment.network.padding == PaddingMode::kValid ? 0 : 1]}};
  root["training"] = {{"batch_size", training.batch_size},
                      {"steps", optional_json(training.steps)},
                      {"epochs", optional_json(training.epochs)},
                      {"learning_rate", number_json(training.sgd.learning_rate)},
                      {"momentum", number_json(training.sgd.momentum)},
                      {"weight_decay", number_json(training.sgd.weight_decay)},
                      {"initial_weights", path_json(training.initial_weights)}};
  for (const DeviceSpec& device : experiment.devices)
    root["devices"].push_back(device_json(device));
  const DistributionOptions& options = distribution.options;
  root["distribution"] = {{"split", split_mode_name(options.split)},
                          {"shares", shares_json(distribution)},
                          {"resident_kernels", options.resident_kernels},
                          {"fuse_pooling", options.fuse_pooling},
                          {"overlap", options.overlap},
                          {"wire", wire_format_name(options.wire)},
                          {"rebalance", options.rebalance}};
  root["link"] = link_json(experiment.link);
  root["clock"] = kClocks[static_cast<std::size_t>(experiment.clock)];
  root["baseline"] = kBaselines[static_cast<std::size_t>(experiment.baseline)];
  return root.dump(2, ' ', false, ordered_json::error_handler_t::replace) + "\n";
}

}  // namespace convoy
