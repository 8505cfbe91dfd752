// The keys of an experiment file: one table, read by the parser and held against
// resources/experiment.schema.json by a test.
#pragma once

#include <span>
#include <string_view>

namespace convoy {

// `object` is the JSON path of an object with `*` for any list index: "", "/devices/*/link".
struct ExperimentKeys {
  std::string_view object;
  std::span<const std::string_view> keys;
};

std::span<const ExperimentKeys> experiment_keys();

}  // namespace convoy
