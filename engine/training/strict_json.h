// JSON text that a person wrote, read strictly.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

namespace convoy {

// Throws Error(kExperiment): for a syntax error with line and column (in bytes, from 1), for a key
// that stands twice in one object with its JSON path. `file` is only used in messages.
nlohmann::json parse_strict_json(const std::string& text, const std::string& file);

// A JSON path with one more step: "/devices/1" + "name", escaped as RFC 6901 has it.
std::string json_path(const std::string& parent, const std::string& key);

}  // namespace convoy
