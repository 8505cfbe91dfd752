// The JSON form of calibration records.
#include <nlohmann/json.hpp>

#include "engine/base/atomic_file.h"
#include "engine/training/calibration_record.h"
#include "engine/training/experiment_names.h"
#include "engine/training/json_value.h"
#include "engine/training/strict_json.h"

namespace convoy {
namespace {

using nlohmann::json;
using nlohmann::ordered_json;
using LayerTimes = CalibrationRecord::LayerTimes;
using DeviceTimes = CalibrationRecord::DeviceTimes;

constexpr int kVersion = 1;
constexpr std::size_t kMost = 4096;  // of anything listed
constexpr double kMostMs = 1e12;

ordered_json layer_json(const LayerTimes& layer) {
  ordered_json object = {{"split", split_mode_name(layer.split)},
                         {"count", layer.count},
                         {"ms", layer.ms},
                         {"algorithms", layer.algorithm},
                         {"fixed_ms", layer.cost.fixed_ms},
                         {"ms_each", layer.cost.ms_per_kernel}};
  if (layer.cut_ms) object["cut_ms"] = {layer.cut_ms->forward, layer.cut_ms->backward};
  if (layer.moving != MovingCost())
    object["moving"] = {{"ms", layer.moving.move},
                        {"sum_ms", layer.moving.sum},
                        {"update_ms", layer.moving.update},
                        {"cores", layer.moving.cores}};
  return object;
}

ordered_json device_json(const DeviceTimes& device) {
  ordered_json object = {
      {"id", device.id},
      {"name", device.name},
      {"scratch_limit_mb",
       device.scratch_limit_mb ? ordered_json(*device.scratch_limit_mb) : ordered_json()}};
  for (const LayerTimes& layer : device.layers) object["layers"].push_back(layer_json(layer));
  return object;
}

ordered_json record_json(const CalibrationRecord& record) {
  const NetworkSpec& network = record.network;
  ordered_json object = {
      {"dataset", dataset_kind_name(record.dataset)},
      {"image", {network.in_channels, network.in_height, network.in_width}},
      {"classes", network.classes},
      {"kernels", network.design.kernels},
      {"kernel_size", network.design.kernel_size},
      {"padding", kPaddings[network.design.padding == PaddingMode::kValid ? 0 : 1]},
      {"batch_size", record.batch_size}};
  for (const DeviceTimes& device : record.devices) object["devices"].push_back(device_json(device));
  object["baseline"] = {{"device", record.baseline_device}, {"ms", record.baseline_ms}};
  for (const RestPart& part : record.rest)
    object["rest"].push_back({{"part", part.name}, {"ms", part.ms}});
  return object;
}

JsonValue needed(const JsonValue& object, const char* key) {
  const auto value = object.find(key);
  if (!value) object.fail("\"" + std::string(key) + "\" is missing");
  return *value;
}

int count_of(const JsonValue& object, const char* key, int low) {
  return static_cast<int>(needed(object, key).integer(low, 1'000'000'000));
}

double ms_of(const JsonValue& object, const char* key) {
  return needed(object, key).number({0, kMostMs});
}

std::array<double, 3> read_passes(const JsonValue& list) {
  std::array<double, 3> ms{};
  const auto values = list.list("times, one a pass", 3, 3);
  for (std::size_t pass = 0; pass < 3; ++pass) ms[pass] = values[pass].number({0, kMostMs});
  if (!(ms[0] + ms[1] + ms[2] > 0.0))
    list.fail("no pass took any time; a calibration has times above 0");
  return ms;
}

LayerTimes read_layer(const JsonValue& object) {
  LayerTimes layer;
  layer.split = static_cast<SplitMode>(
      needed(object, "split").choice(std::span(kSplits).first(2)));  // never "auto"
  layer.count = count_of(object, "count", 1);
  layer.ms = read_passes(needed(object, "ms"));
  const auto algorithms = needed(object, "algorithms").list("names, one a pass", 3, 3);
  for (std::size_t pass = 0; pass < 3; ++pass) layer.algorithm[pass] = algorithms[pass].text();
  layer.cost = {ms_of(object, "fixed_ms"), needed(object, "ms_each").number({0, kMostMs, false})};
  if (const auto cut = object.find("cut_ms")) {
    const auto ms = cut->list("times, forward and backward-data", 2, 2);
    layer.cut_ms = {ms[0].number({0, kMostMs}), ms[1].number({0, kMostMs})};
  }
  if (const auto moving = object.find("moving")) {
    const auto ms = needed(*moving, "ms").list("times of a million numbers, one a format", 3, 3);
    for (std::size_t format = 0; format < ms.size(); ++format)
      layer.moving.move[format] = ms[format].number({0, kMostMs});
    layer.moving.sum = ms_of(*moving, "sum_ms");
    layer.moving.update = ms_of(*moving, "update_ms");
    layer.moving.cores = count_of(*moving, "cores", 0);
  }
  return layer;
}

DeviceTimes read_device(const JsonValue& object, std::size_t layers) {
  DeviceTimes device;
  device.id = needed(object, "id").text();
  device.name = needed(object, "name").text();
  if (const auto limit = needed(object, "scratch_limit_mb"); !limit.is_null())
    device.scratch_limit_mb = limit.number({0, 1e9, false});
  for (const JsonValue& layer :
       needed(object, "layers").list("layers, as many as the network has", layers, layers))
    device.layers.push_back(read_layer(layer));
  return device;
}

CalibrationRecord read_record(const JsonValue& object) {
  CalibrationRecord record;
  std::vector<std::string_view> kinds;
  for (const DatasetKind kind : kDatasetKinds) kinds.push_back(dataset_kind_name(kind));
  record.dataset = kDatasetKinds[needed(object, "dataset").choice(kinds)];
  NetworkSpec& network = record.network;
  const auto image = needed(object, "image").list("sizes: channels, height, width", 3, 3);
  network.in_channels = static_cast<int>(image[0].integer(1, 1 << 20));
  network.in_height = static_cast<int>(image[1].integer(1, 1 << 20));
  network.in_width = static_cast<int>(image[2].integer(1, 1 << 20));
  network.classes = count_of(object, "classes", 1);
  network.design.kernels.clear();
  for (const JsonValue& kernels : needed(object, "kernels").list("numbers of kernels", 1, 5))
    network.design.kernels.push_back(static_cast<int>(kernels.integer(1, 65536)));
  network.design.kernel_size = count_of(object, "kernel_size", 1);
  network.design.padding =
      needed(object, "padding").choice(kPaddings) == 0 ? PaddingMode::kValid : PaddingMode::kSame;
  record.batch_size = count_of(object, "batch_size", 1);
  network.conv_problems(record.batch_size);  // refuses layers that do not fit

  for (const JsonValue& device : needed(object, "devices").list("devices", 1, kMost))
    record.devices.push_back(read_device(device, network.design.kernels.size()));
  const JsonValue baseline = needed(object, "baseline");
  record.baseline_device = static_cast<int>(
      needed(baseline, "device").integer(0, static_cast<std::int64_t>(record.devices.size()) - 1));
  const std::size_t layers = network.design.kernels.size();
  for (const JsonValue& layer : needed(baseline, "ms").list("layers", layers, layers))
    record.baseline_ms.push_back(read_passes(layer));
  for (const JsonValue& part : needed(object, "rest").list("parts of the step", 0, kMost))
    record.rest.push_back({needed(part, "part").text(), ms_of(part, "ms")});
  return record;
}

}  // namespace

std::string calibration_json(const std::vector<CalibrationRecord>& records) {
  ordered_json root = {{"convoy_calibration", kVersion}, {"calibrations", ordered_json::array()}};
  for (const CalibrationRecord& record : records)
    root["calibrations"].push_back(record_json(record));
  return root.dump(1, ' ', false, ordered_json::error_handler_t::replace) + "\n";
}

namespace {

std::vector<CalibrationRecord> read_records(const std::string& json_text, const std::string& file) {
  const json value = parse_strict_json(json_text, file);
  const JsonValue root(value, file, "");
  if (!value.is_object() || !value.contains("convoy_calibration"))
    root.fail(
        "this is no calibration; `convoy run` leaves one in its folder as calibration.json, "
        "and `convoy predict --save-calibration` writes one");
  needed(root, "convoy_calibration").integer(kVersion, kVersion);
  std::vector<CalibrationRecord> records;
  for (const JsonValue& entry : needed(root, "calibrations").list("calibrations", 1, kMost))
    records.push_back(read_record(entry));
  return records;
}

}  // namespace

// It is read by the rules of an experiment file, but it is data.
std::vector<CalibrationRecord> parse_calibration(const std::string& json_text,
                                                 const std::string& file) {
  try {
    return read_records(json_text, file);
  } catch (const Error& error) {
    const std::string& where = error.where();
    throw Error(ErrorKind::kData, where,
                std::string(error.what()).substr(where.empty() ? 0 : where.size() + 2));
  }
}

std::vector<CalibrationRecord> read_calibration(const std::filesystem::path& path) {
  return parse_calibration(read_whole_file(path, ErrorKind::kData), path.string());
}

}  // namespace convoy
