// A JSON value of an experiment with the place where it stands, so that whoever refuses it can say
// where, what was found and what is allowed. Private to the experiment's parser.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace convoy {

struct NumberRange {
  double low, high;
  bool low_allowed = true;
  const char* or_else = "";  // what else is allowed there, for the message: " or null (unlimited)"
};

// Refers to the JSON and the file name that it was made from. Every function throws
// Error(kExperiment) when the value is not what is asked for.
class JsonValue {
 public:
  JsonValue(const nlohmann::json& value, const std::string& file, std::string path)
      : value_(&value), file_(&file), path_(std::move(path)) {}

  const std::string& path() const { return path_; }
  bool is_null() const { return value_->is_null(); }
  bool is_text() const { return value_->is_string(); }
  bool is_list() const { return value_->is_array(); }

  // Refuses anything but an object whose keys all stand in experiment_keys() for this path.
  void require_object() const;
  // Of an object: nothing when the key is absent.
  std::optional<JsonValue> find(const std::string& key) const;
  // The entries of a list. `what` completes "it must be a list of ".
  std::vector<JsonValue> list(const std::string& what, std::size_t least, std::size_t most) const;

  std::string text() const;
  bool boolean() const;
  std::int64_t integer(std::int64_t low, std::int64_t high) const;
  std::uint64_t unsigned_integer() const;
  double number(const NumberRange& range) const;
  // The index of the text among `names`.
  std::size_t choice(std::span<const std::string_view> names) const;

  // "found 0; it must be <allowed>".
  [[noreturn]] void refuse(const std::string& allowed) const;
  // The bare message, at this place.
  [[noreturn]] void fail(const std::string& message) const;

 private:
  const nlohmann::json* value_;
  const std::string* file_;
  std::string path_;
};

}  // namespace convoy
