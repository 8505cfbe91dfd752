#include "engine/training/variations.h"

#include <algorithm>
#include <charconv>
#include <numeric>

#include "engine/base/error.h"

namespace convoy {
namespace {

[[noreturn]] void refuse(const std::string& text, const std::string& why) {
  throw Error(ErrorKind::kExperiment, "--vary " + text,
              why + "; write it as link.bandwidth_mbps=100,1000,null or devices=1,2,4");
}

// Where the next value ends: at a comma outside of all brackets and quotes.
std::size_t value_end(const std::string& text, std::size_t at) {
  int depth = 0;
  bool quoted = false;
  for (; at < text.size(); ++at) {
    const char c = text[at];
    if (quoted) {
      if (c == '\\') ++at;
      quoted = c != '"';
    } else if (c == '"') {
      quoted = true;
    } else if (c == '[' || c == '{') {
      ++depth;
    } else if (c == ']' || c == '}') {
      --depth;
    } else if (c == ',' && depth == 0) {
      break;
    }
  }
  return std::min(at, text.size());
}

bool is_count(const std::string& value) {
  return !value.empty() &&
         std::all_of(value.begin(), value.end(), [](char c) { return c >= '0' && c <= '9'; });
}

DistributionOptions method_options(const std::string& name) {
  if (name == "paper") return paper_options();
  if (name == "best") return best_options();
  refuse("method=" + name, "there is no method \"" + name + "\": it is paper or best");
}

// "link.bandwidth_mbps=10, devices=2"
std::string combination_text(const std::vector<Variation>& variations,
                             const std::vector<std::string>& values) {
  std::string text;
  for (std::size_t i = 0; i < variations.size(); ++i)
    text += (i == 0 ? "" : ", ") + variations[i].path + "=" + values[i];
  return text;
}

// One combination.
Experiment apply(std::string text, const std::vector<Variation>& variations,
                 const std::vector<std::string>& values, const std::string& file,
                 const std::function<std::vector<DeviceSpec>()>& missing_devices) {
  const auto is_special = [&](std::size_t i) {
    const std::string& path = variations[i].path;
    return path == "method" || (path == "devices" && is_count(values[i]));
  };
  for (std::size_t i = 0; i < variations.size(); ++i)
    if (!is_special(i)) text = with_setting(text, variations[i].path + "=" + values[i], file);
  Experiment experiment = parse_experiment(text, file);
  if (experiment.devices.empty()) experiment.devices = missing_devices();
  for (std::size_t i = 0; i < variations.size(); ++i) {
    if (!is_special(i)) continue;
    if (variations[i].path == "method") {
      experiment.distribution.options = method_options(values[i]);
      continue;
    }
    int count = 0;
    std::from_chars(values[i].data(), values[i].data() + values[i].size(), count);
    experiment = with_devices(std::move(experiment), count);
  }
  return experiment;
}

}  // namespace

Variation parse_variation(const std::string& text) {
  const std::size_t equals = text.find('=');
  if (equals == std::string::npos || equals == 0) refuse(text, "there is no path before a \"=\"");
  Variation variation{text.substr(0, equals), {}};
  for (std::size_t begin = equals + 1; begin <= text.size();) {
    const std::size_t end = value_end(text, begin);
    variation.values.push_back(text.substr(begin, end - begin));
    if (variation.values.back().empty()) refuse(text, "a value is missing");
    begin = end + 1;
  }
  return variation;
}

std::vector<Variant> vary(const std::string& json_text, const std::vector<Variation>& variations,
                          const std::string& file,
                          const std::function<std::vector<DeviceSpec>()>& missing_devices) {
  std::vector<Variant> variants;
  std::vector<std::size_t> place(variations.size());
  while (true) {
    Variant& variant = variants.emplace_back();
    for (std::size_t i = 0; i < variations.size(); ++i)
      variant.values.push_back(variations[i].values[place[i]]);
    try {
      variant.experiment = apply(json_text, variations, variant.values, file, missing_devices);
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::kExperiment || variations.empty()) throw;
      throw Error(ErrorKind::kExperiment, "with " + combination_text(variations, variant.values),
                  error.what());
    }
    std::size_t i = variations.size();
    while (i > 0 && ++place[i - 1] == variations[i - 1].values.size()) place[--i] = 0;
    if (i == 0) return variants;
  }
}

Experiment with_devices(Experiment experiment, int count) {
  const auto all = static_cast<int>(experiment.devices.size());
  if (count < 1 || count > all)
    throw Error(ErrorKind::kExperiment, "/devices",
                "asked for the first " + std::to_string(count) + " of the devices; there are " +
                    std::to_string(all));
  experiment.devices.resize(static_cast<std::size_t>(count));
  if (experiment.distribution.shares != ShareMode::kExplicit) return experiment;
  std::vector<double>& fractions = experiment.distribution.fractions;
  fractions.resize(static_cast<std::size_t>(count));
  const double sum = std::accumulate(fractions.begin(), fractions.end(), 0.0);
  if (!(sum > 0.0))
    throw Error(ErrorKind::kExperiment, "/distribution/shares",
                "the first " + std::to_string(count) + " devices have no share");
  for (double& fraction : fractions) fraction /= sum;
  return experiment;
}

}  // namespace convoy
