#include <algorithm>
#include <nlohmann/json.hpp>
#include <vector>

#include "engine/base/error.h"
#include "engine/training/experiment.h"
#include "engine/training/strict_json.h"

namespace convoy {
namespace {

using nlohmann::json;

[[noreturn]] void refuse(const std::string& setting, const std::string& why) {
  throw Error(ErrorKind::kExperiment, "--set " + setting,
              why + "; write it as training.batch_size=64 or devices.1.speed=0.5");
}

std::vector<std::string> split_path(const std::string& setting, std::size_t equals) {
  std::vector<std::string> steps;
  for (std::size_t begin = 0; begin <= equals;) {
    const std::size_t end = std::min(setting.find('.', begin), equals);
    steps.push_back(setting.substr(begin, end - begin));
    if (steps.back().empty())
      refuse(setting, "a name is missing in the path \"" + setting.substr(0, equals) + "\"");
    begin = end + 1;
  }
  return steps;
}

bool is_index(const std::string& step) {
  return step.size() < 9 &&
         std::all_of(step.begin(), step.end(), [](char c) { return c >= '0' && c <= '9'; });
}

// The entry of a list; one past the end appends.
json& list_entry(json& list, const std::string& step, const std::string& setting) {
  const std::string entries =
      "the list has " + std::to_string(list.size()) + (list.size() == 1 ? " entry" : " entries");
  if (!is_index(step)) refuse(setting, "\"" + step + "\" is not an index, and " + entries);
  const std::size_t index = std::stoul(step);
  if (index > list.size())
    refuse(setting, "there is no entry " + step + ": " + entries + ", counted from 0");
  if (index == list.size()) list.push_back(nullptr);
  return list[index];
}

}  // namespace

std::string with_setting(const std::string& json_text, const std::string& path_and_value,
                         const std::string& file) {
  json root = parse_strict_json(json_text, file);
  const std::size_t equals = path_and_value.find('=');
  if (equals == std::string::npos) refuse(path_and_value, "there is no \"=\"");
  json* target = &root;
  for (const std::string& step : split_path(path_and_value, equals)) {
    if (target->is_array()) {
      target = &list_entry(*target, step, path_and_value);
      continue;
    }
    if (!target->is_null() && !target->is_object())
      refuse(path_and_value, "\"" + step + "\" cannot be set inside of " +
                                 target->dump(-1, ' ', false, json::error_handler_t::replace));
    if (target->is_null() && is_index(step))
      refuse(path_and_value, "there is no list that could have an entry " + step);
    target = &(*target)[step];
  }
  const std::string value = path_and_value.substr(equals + 1);
  *target = json::accept(value) ? parse_strict_json(value, "--set " + path_and_value) : json(value);
  return root.dump(2, ' ', false, json::error_handler_t::replace);
}

}  // namespace convoy
