#include "app/cli/prediction_report.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "app/cli/text_table.h"

namespace convoy::cli {
namespace {

using nlohmann::ordered_json;

constexpr const char* kBandwidth = "link.bandwidth_mbps";

// "link.bandwidth_mbps" heads its column as "bandwidth_mbps".
std::string heading(const std::string& path) {
  return path.substr(path.rfind('.') + 1);
}

// "devices 2, batch_size 64"; empty where nothing but the bandwidth varies.
std::string set_name(const std::vector<std::string>& paths, const PredictedVariant& variant) {
  std::string name;
  for (std::size_t i = 0; i < paths.size(); ++i)
    if (paths[i] != kBandwidth)
      name += (name.empty() ? "" : ", ") + heading(paths[i]) + " " + variant.values[i];
  return name;
}

ordered_json value_json(const std::string& value) {
  return ordered_json::accept(value) ? ordered_json::parse(value) : ordered_json(value);
}

template <class Value>
ordered_json optional_json(const std::optional<Value>& value) {
  return value ? ordered_json(*value) : ordered_json();
}

ordered_json break_even_json(const BreakEven& even) {
  switch (even.kind) {
    case BreakEven::Kind::kAlways:
      return "always";
    case BreakEven::Kind::kNever:
      return "never";
    case BreakEven::Kind::kUnasked:
      return nullptr;
    case BreakEven::Kind::kAt:
      break;
  }
  return even.bandwidth_mbps;
}

ordered_json variant_json(const std::vector<std::string>& paths, const PredictedVariant& variant) {
  const Prediction& prediction = variant.prediction;
  const StepPrediction& step = prediction.step;
  ordered_json varied = ordered_json::object();
  for (std::size_t i = 0; i < paths.size(); ++i) varied[paths[i]] = value_json(variant.values[i]);
  ordered_json layers = ordered_json::array();
  for (std::size_t i = 0; i < step.layers.size(); ++i)
    layers.push_back({{"split", split_mode_name(prediction.split[i])},
                      {"counts", prediction.counts[i]},
                      {"forward_ms", step.layers[i].forward_ms},
                      {"backward_ms", step.layers[i].backward_ms},
                      {"bytes", step.layers[i].bytes}});
  return {{"varied", varied},
          {"devices", prediction.devices},
          {"step_ms", step.step_ms},
          {"conv_ms", step.conv_ms},
          {"comm_ms", step.comm_ms},
          {"comp_ms", step.comp_ms},
          {"baseline", prediction.baseline},
          {"baseline_step_ms", optional_json(prediction.baseline_step_ms)},
          {"speedup", optional_json(prediction.speedup)},
          {"bytes", step.bytes},
          {"device_bytes", step.device_bytes},
          {"layers", layers},
          {"break_even_mbps", break_even_json(variant.break_even)},
          {"verdict", variant.verdict}};
}

}  // namespace

std::string prediction_text(const std::vector<std::string>& paths,
                            const std::vector<PredictedVariant>& variants) {
  std::vector<std::string> headings;
  for (const std::string& path : paths) headings.push_back(heading(path));
  for (const char* name : {"step ms", "conv ms", "comm ms", "comp ms", "speedup", "MB a step"})
    headings.push_back(name);
  TextTable table(headings);
  for (const PredictedVariant& variant : variants) {
    const StepPrediction& step = variant.prediction.step;
    std::vector<std::string> cells = variant.values;
    for (const double ms : {step.step_ms, step.conv_ms, step.comm_ms, step.comp_ms})
      cells.push_back(fixed(ms, 2));
    cells.push_back(fixed(variant.prediction.speedup, 2));
    cells.push_back(fixed(static_cast<double>(step.bytes) / 1e6, 2));
    table.add_row(cells);
  }
  std::string text = table.text();
  std::vector<std::string> told;
  for (const PredictedVariant& variant : variants) {
    const std::string name = set_name(paths, variant);
    if (std::find(told.begin(), told.end(), name) != told.end()) continue;
    told.push_back(name);
    text += "\n" + (name.empty() ? "" : name + "\n") + "break-even  " +
            break_even_text(variant.break_even) + "\nverdict     " + variant.verdict + "\n";
  }
  return text;
}

std::string prediction_json(const std::vector<std::string>& paths,
                            const std::vector<PredictedVariant>& variants) {
  ordered_json list = ordered_json::array();
  for (const PredictedVariant& variant : variants) list.push_back(variant_json(paths, variant));
  return list.dump(2, ' ', false, ordered_json::error_handler_t::replace) + "\n";
}

}  // namespace convoy::cli
