#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <numeric>
#include <set>

#include "datasets/synthetic.h"
#include "engine/base/atomic_file.h"
#include "engine/base/error.h"
#include "engine/base/number_text.h"
#include "engine/training/experiment.h"
#include "engine/training/experiment_names.h"
#include "engine/training/json_value.h"
#include "engine/training/strict_json.h"

namespace convoy {
namespace {

using nlohmann::json;

constexpr int kMost = 1'000'000'000;  // of anything counted
// Of a bandwidth and a speed: no time that follows from less fits the clocks' 64 bits.
constexpr double kLeastRate = 1e-6;

template <class Read>
void read(const JsonValue& object, const char* key, Read&& use) {
  if (const auto value = object.find(key)) use(*value);
}

template <class Number>
void read_integer(const JsonValue& object, const char* key, Number& target, std::int64_t low,
                  std::int64_t high) {
  read(object, key,
       [&](const JsonValue& value) { target = static_cast<Number>(value.integer(low, high)); });
}

// null or absent leaves the target empty.
void read_optional_integer(const JsonValue& object, const char* key, std::optional<int>& target,
                           int low, int high) {
  read(object, key, [&](const JsonValue& value) {
    if (value.is_null())
      target.reset();
    else
      target = static_cast<int>(value.integer(low, high));
  });
}

void read_number(const JsonValue& object, const char* key, double& target,
                 const NumberRange& range) {
  read(object, key, [&](const JsonValue& value) { target = value.number(range); });
}

// null is the empty text: "not given".
void read_path(const JsonValue& object, const char* key, std::string& target) {
  read(object, key,
       [&](const JsonValue& value) { target = value.is_null() ? std::string() : value.text(); });
}

void read_switch(const JsonValue& object, const char* key, bool& target) {
  read(object, key, [&](const JsonValue& value) { target = value.boolean(); });
}

// One of the enumerators in the order of their `names`.
template <class Enum>
void read_choice(const JsonValue& object, const char* key, std::span<const std::string_view> names,
                 Enum& target) {
  read(object, key,
       [&](const JsonValue& value) { target = static_cast<Enum>(value.choice(names)); });
}

DatasetSpec parse_dataset(const JsonValue& object) {
  object.require_object();
  DatasetSpec dataset;
  read(object, "kind", [&](const JsonValue& value) {
    std::vector<std::string_view> names;
    for (const DatasetKind kind : kDatasetKinds) names.push_back(dataset_kind_name(kind));
    dataset.kind = kDatasetKinds[value.choice(names)];
  });
  const bool synthetic = dataset.kind == DatasetKind::kSynthetic;
  const int most = synthetic ? kSyntheticMaxCount : kMost;
  read_path(object, "path", dataset.path);
  read_optional_integer(object, "train_limit", dataset.train_limit, 1, most);
  read_optional_integer(object, "test_limit", dataset.test_limit, 1, most);
  read(object, "shuffle", [&](const JsonValue& value) { dataset.shuffle = value.boolean(); });
  read_optional_integer(object, "image_size", dataset.image_size, 8, 1024);
  if (dataset.image_size && dataset.kind != DatasetKind::kFolder)
    object.find("image_size")->refuse("null or absent: only a dataset of kind \"folder\" has it");
  if (dataset.kind == DatasetKind::kFolder && dataset.path.empty())
    object.fail("a dataset of kind \"folder\" needs \"path\", the folder of the class folders");
  return dataset;
}

NetworkDesign parse_network(const JsonValue& object) {
  object.require_object();
  NetworkDesign network;
  read(object, "kernels", [&](const JsonValue& value) {
    network.kernels.clear();
    for (const JsonValue& entry :
         value.list("integers, the kernels of each convolutional layer", 1, 5))
      network.kernels.push_back(static_cast<int>(entry.integer(1, 65536)));
  });
  read_integer(object, "kernel_size", network.kernel_size, 1, 1024);
  read(object, "padding", [&](const JsonValue& value) {
    network.padding = value.choice(kPaddings) == 0 ? PaddingMode::kValid : PaddingMode::kSame;
  });
  return network;
}

TrainingSpec parse_training(const JsonValue& object) {
  object.require_object();
  TrainingSpec training;
  read_integer(object, "batch_size", training.batch_size, 1, 65536);
  training.steps.reset();
  read_optional_integer(object, "steps", training.steps, 1, kMost);
  read_optional_integer(object, "epochs", training.epochs, 1, 1'000'000);
  if (training.steps && training.epochs)
    object.fail("\"steps\" (" + number_text(*training.steps) + ") and \"epochs\" (" +
                number_text(*training.epochs) + ") are both given; set one of them to null");
  if (!training.steps && !training.epochs) training.steps = TrainingSpec().steps;
  read_number(object, "learning_rate", training.sgd.learning_rate, {0, 1000});
  read_number(object, "momentum", training.sgd.momentum, {0, 1});
  read_number(object, "weight_decay", training.sgd.weight_decay, {0, 1000});
  read_path(object, "initial_weights", training.initial_weights);
  return training;
}

LinkSettings parse_link(const JsonValue& object) {
  object.require_object();
  LinkSettings link;
  read(object, "bandwidth_mbps", [&](const JsonValue& value) {
    if (!value.is_null())
      link.bandwidth_mbps = value.number({kLeastRate, 1e9, true, ", or null for unlimited"});
  });
  read_number(object, "latency_ms", link.latency_ms, {0, 60000});
  read(object, "duplex", [&](const JsonValue& value) {
    link.duplex = value.choice(kDuplexes) == 0 ? Duplex::kFull : Duplex::kHalf;
  });
  return link;
}

bool is_digits(std::string_view text) {
  return !text.empty() && text.size() < 10 &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

// "0", "0-3", "0,2": numbers and rising ranges.
bool is_core_list(std::string_view text) {
  while (true) {
    const std::string_view item = text.substr(0, text.find(','));
    const std::size_t dash = item.find('-');
    if (dash == std::string_view::npos) {
      if (!is_digits(item)) return false;
    } else {
      const std::string_view first = item.substr(0, dash), last = item.substr(dash + 1);
      if (!is_digits(first) || !is_digits(last) ||
          std::stol(std::string(first)) > std::stol(std::string(last)))
        return false;
    }
    if (item.size() == text.size()) return true;
    text.remove_prefix(item.size() + 1);
  }
}

bool is_device_id(std::string_view id) {
  if (id == "cpu") return true;
  if (id.starts_with("cpu:")) return is_core_list(id.substr(4));
  if (!id.starts_with("opencl:")) return false;
  id.remove_prefix(7);
  const std::size_t first = id.find(':');
  if (first == std::string_view::npos || !is_digits(id.substr(0, first))) return false;
  id.remove_prefix(first + 1);
  const std::size_t second = id.find(':');
  if (!is_digits(id.substr(0, second))) return false;
  return second == std::string_view::npos || is_core_list(id.substr(second + 1));
}

DeviceSpec parse_device(const JsonValue& object, bool first) {
  object.require_object();
  DeviceSpec device;
  const auto id = object.find("id");
  if (!id)
    object.fail(
        "\"id\" is missing: which device it is, such as \"cpu:0\"; `convoy devices` lists them");
  device.id = id->text();
  if (!is_device_id(device.id))
    id->refuse(
        "\"cpu\", \"cpu:CORES\" such as \"cpu:0-3\" or \"cpu:0,2\", or "
        "\"opencl:PLATFORM:DEVICE\" such as \"opencl:0:0\", of a CPU also with \":CORES\" behind "
        "it");
  read(object, "name", [&](const JsonValue& value) { device.name = value.text(); });
  read(object, "speed", [&](const JsonValue& value) {
    device.speed = value.number({kLeastRate, 1e6});
  });
  read(object, "scratch_limit_mb", [&](const JsonValue& value) {
    if (!value.is_null()) device.scratch_limit_mb = value.number({0, 1e9, false});
  });
  read(object, "link", [&](const JsonValue& value) {
    if (value.is_null()) return;
    if (first)
      value.fail(
          "the first device is the master's own and has no link; remove it, or set the link "
          "of the other devices");
    device.link = parse_link(value);
  });
  return device;
}

std::vector<DeviceSpec> parse_devices(const JsonValue& list) {
  std::vector<DeviceSpec> devices;
  std::set<std::string> names;
  for (const JsonValue& entry :
       list.list("devices (without the key, all that are detected take part)", 1, 1024)) {
    devices.push_back(parse_device(entry, devices.empty()));
    const DeviceSpec& device = devices.back();
    const std::string& name = device.name.empty() ? device.id : device.name;
    if (!names.insert(name).second)
      entry.fail("a device before it is also called \"" + name +
                 "\"; give each its own \"name\" (without one it is the id)");
  }
  return devices;
}

std::vector<double> parse_fractions(const JsonValue& list, std::size_t devices) {
  if (devices == 0)
    list.fail("a list of shares needs the list \"devices\": one share a device, in the same order");
  std::vector<double> fractions;
  for (const JsonValue& entry : list.list("numbers, one share a device", devices, devices))
    fractions.push_back(entry.number({0, 1}));
  const double sum = std::accumulate(fractions.begin(), fractions.end(), 0.0);
  if (!(std::abs(sum - 1.0) <= 1e-6))
    list.refuse("fractions whose sum is 1; the sum is " + number_text(sum));
  return fractions;
}

DistributionSpec parse_distribution(const JsonValue& object, std::size_t devices) {
  object.require_object();
  DistributionSpec distribution;
  DistributionOptions& options = distribution.options;
  read_choice(object, "split", kSplits, options.split);
  read(object, "shares", [&](const JsonValue& value) {
    if (value.is_text()) {
      distribution.shares =
          value.choice(kShareModes) == 0 ? ShareMode::kCalibrated : ShareMode::kEqual;
    } else if (value.is_list()) {
      distribution.shares = ShareMode::kExplicit;
      distribution.fractions = parse_fractions(value, devices);
    } else {
      value.refuse("\"calibrated\", \"equal\" or a list of fractions, one a device");
    }
  });
  read_switch(object, "resident_kernels", options.resident_kernels);
  read_switch(object, "fuse_pooling", options.fuse_pooling);
  read_switch(object, "overlap", options.overlap);
  read_choice(object, "wire", kWires, options.wire);
  read_switch(object, "rebalance", options.rebalance);
  return distribution;
}

// Nothing makes a device faster than it is, but for a clock that is only computed.
void check_speeds(const JsonValue& root, ClockMode clock) {
  const auto devices = root.find("devices");
  if (!devices || clock == ClockMode::kVirtual) return;
  for (const JsonValue& device : devices->list("devices", 1, kMost))
    read(device, "speed", [](const JsonValue& speed) {
      if (speed.number({kLeastRate, 1e6}) > 1)
        speed.refuse(
            "a number above 0 and at most 1: a speed above 1 needs the virtual clock "
            "(\"clock\": \"virtual\")");
    });
}

// The layers must fit on the pictures, as far as the pictures' size is known before they are read.
void check_network_fits(const JsonValue& root, const Experiment& experiment) {
  NetworkSpec spec{experiment.network};
  switch (experiment.dataset.kind) {
    case DatasetKind::kMnist:
      spec.in_channels = 1;
      spec.in_height = spec.in_width = 28;
      break;
    case DatasetKind::kFolder:
      spec.in_height = spec.in_width = experiment.dataset.image_size.value_or(32);
      break;
    case DatasetKind::kCifar100:
      spec.classes = 100;
      break;
    case DatasetKind::kSynthetic:
    case DatasetKind::kCifar10:
      break;
  }
  try {
    spec.conv_problems(experiment.training.batch_size);
  } catch (const Error& error) {
    const auto network = root.find("network");
    (network ? *network : root).fail(error.what());
  }
}

Experiment parse_root(const json& value, const std::string& file) {
  const JsonValue root(value, file, "");
  root.require_object();
  Experiment experiment;
  read(root, "$schema", [](const JsonValue& schema) { schema.text(); });
  read(root, "name", [&](const JsonValue& name) { experiment.name = name.text(); });
  read(root, "note", [&](const JsonValue& note) { experiment.note = note.text(); });
  read(root, "seed", [&](const JsonValue& seed) { experiment.seed = seed.unsigned_integer(); });
  read(root, "dataset", [&](const JsonValue& v) { experiment.dataset = parse_dataset(v); });
  read(root, "network", [&](const JsonValue& v) { experiment.network = parse_network(v); });
  read(root, "training", [&](const JsonValue& v) { experiment.training = parse_training(v); });
  read(root, "devices", [&](const JsonValue& v) { experiment.devices = parse_devices(v); });
  read(root, "distribution", [&](const JsonValue& v) {
    experiment.distribution = parse_distribution(v, experiment.devices.size());
  });
  read(root, "link", [&](const JsonValue& v) { experiment.link = parse_link(v); });
  read_choice(root, "clock", kClocks, experiment.clock);
  read_choice(root, "baseline", kBaselines, experiment.baseline);
  check_speeds(root, experiment.clock);
  check_network_fits(root, experiment);
  return experiment;
}

}  // namespace

Experiment parse_experiment(const std::string& json_text, const std::string& file) {
  return parse_root(parse_strict_json(json_text, file), file);
}

Experiment read_experiment(const std::filesystem::path& path) {
  return parse_experiment(read_whole_file(path, ErrorKind::kExperiment), path.string());
}

// The parser is the one place that knows what is allowed.
void validate(const Experiment& experiment, const std::string& file) {
  if (!experiment.training.steps && !experiment.training.epochs)
    throw Error(ErrorKind::kExperiment, file + ": /training",
                "neither \"steps\" nor \"epochs\" is given; set one of them");
  parse_experiment(experiment_json(experiment), file);
}

}  // namespace convoy
