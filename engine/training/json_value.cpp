#include "engine/training/json_value.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "engine/base/error.h"
#include "engine/base/number_text.h"
#include "engine/training/experiment_keys.h"
#include "engine/training/strict_json.h"

namespace convoy {
namespace {

using nlohmann::json;

// "/devices/1/link" as the table of keys has it: "/devices/*/link".
std::string generic_path(const std::string& path) {
  std::string generic;
  for (std::size_t begin = 0; begin < path.size();) {
    const std::size_t end = std::min(path.find('/', begin + 1), path.size());
    const std::string_view step(path.data() + begin + 1, end - begin - 1);
    const bool index = !step.empty() && std::all_of(step.begin(), step.end(),
                                                    [](char c) { return c >= '0' && c <= '9'; });
    generic.append(1, '/').append(index ? "*" : step);
    begin = end;
  }
  return generic;
}

std::span<const std::string_view> allowed_keys(const std::string& path) {
  const std::string generic = generic_path(path);
  for (const ExperimentKeys& entry : experiment_keys())
    if (entry.object == generic) return entry.keys;
  throw std::logic_error("no keys are declared for " + generic);
}

// Levenshtein 1966: insertions, deletions and substitutions from one word to the other.
std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t substituted = diagonal + (a[i - 1] != b[j - 1] ? 1 : 0);
      diagonal = row[j];
      row[j] = std::min({substituted, row[j] + 1, row[j - 1] + 1});
    }
  }
  return row.back();
}

// An experiment that was made by other means has no file.
std::string place(const std::string& file, const std::string& path) {
  return file.empty() || path.empty() ? file + path : file + ": " + path;
}

std::string joined(std::span<const std::string_view> names) {
  std::string text;
  for (const std::string_view name : names) {
    if (!text.empty()) text += ", ";
    text += name;
  }
  return text;
}

std::string suggestion(const std::string& word, std::span<const std::string_view> names) {
  const std::size_t near = 1 + word.size() / 3;
  std::string_view best;
  std::size_t best_distance = near + 1;
  for (const std::string_view name : names) {
    const std::size_t distance = edit_distance(word, name);
    if (distance < best_distance) {
      best_distance = distance;
      best = name;
    }
  }
  return best.empty() ? "" : "; did you mean \"" + std::string(best) + "\"?";
}

std::string shown(const json& value) {
  constexpr std::size_t kLongest = 60;
  std::string text = value.dump(-1, ' ', false, json::error_handler_t::replace);
  if (text.size() <= kLongest) return text;
  std::size_t cut = kLongest;
  while (cut > 0 && (static_cast<unsigned char>(text[cut]) & 0xC0) == 0x80) --cut;  // whole UTF-8
  return text.substr(0, cut) + "...";
}

}  // namespace

void JsonValue::refuse(const std::string& allowed) const {
  fail("found " + shown(*value_) + "; it must be " + allowed);
}

void JsonValue::fail(const std::string& message) const {
  throw Error(ErrorKind::kExperiment, place(*file_, path_), message);
}

void JsonValue::require_object() const {
  const auto allowed = allowed_keys(path_);
  if (!value_->is_object()) refuse("an object with keys out of: " + joined(allowed));
  for (const auto& [key, ignored] : value_->items()) {
    if (std::find(allowed.begin(), allowed.end(), key) != allowed.end()) continue;
    throw Error(ErrorKind::kExperiment, place(*file_, json_path(path_, key)),
                "unknown key; allowed here are " + joined(allowed) + suggestion(key, allowed));
  }
}

std::optional<JsonValue> JsonValue::find(const std::string& key) const {
  const auto found = value_->find(key);
  if (found == value_->end()) return std::nullopt;
  return JsonValue(*found, *file_, json_path(path_, key));
}

std::vector<JsonValue> JsonValue::list(const std::string& what, std::size_t least,
                                       std::size_t most) const {
  const std::string count =
      least == most ? std::to_string(least) : std::to_string(least) + " to " + std::to_string(most);
  if (!value_->is_array() || value_->size() < least || value_->size() > most)
    refuse("a list of " + count + " " + what);
  std::vector<JsonValue> entries;
  for (std::size_t i = 0; i < value_->size(); ++i)
    entries.emplace_back((*value_)[i], *file_, path_ + "/" + std::to_string(i));
  return entries;
}

std::string JsonValue::text() const {
  if (!value_->is_string()) refuse("a text in quotes");
  return value_->get<std::string>();
}

bool JsonValue::boolean() const {
  if (!value_->is_boolean()) refuse("true or false");
  return value_->get<bool>();
}

std::int64_t JsonValue::integer(std::int64_t low, std::int64_t high) const {
  // JSON knows one kind of number: 64.0 is the integer 64.
  const double value = value_->is_number() ? value_->get<double>() : std::nan("");
  if (!(value == std::floor(value) && value >= static_cast<double>(low) &&
        value <= static_cast<double>(high)))
    refuse("an integer from " + number_text(low) + " to " + number_text(high));
  return static_cast<std::int64_t>(value);
}

std::uint64_t JsonValue::unsigned_integer() const {
  if (!value_->is_number_unsigned()) refuse("an integer from 0 to 18446744073709551615");
  return value_->get<std::uint64_t>();
}

double JsonValue::number(const NumberRange& range) const {
  const double value = value_->is_number() ? value_->get<double>() : std::nan("");
  const bool low_kept = range.low_allowed ? value >= range.low : value > range.low;
  if (!(low_kept && value <= range.high))
    refuse("a number " + std::string(range.low_allowed ? "from " : "above ") +
           number_text(range.low) + (range.low_allowed ? " to " : " and at most ") +
           number_text(range.high) + range.or_else);
  return value;
}

std::size_t JsonValue::choice(std::span<const std::string_view> names) const {
  const std::string value = value_->is_string() ? value_->get<std::string>() : "";
  const auto found = std::find(names.begin(), names.end(), value);
  if (!value_->is_string() || found == names.end())
    refuse("one of: " + joined(names) +
           (value_->is_string() ? suggestion(value, names) : std::string()));
  return static_cast<std::size_t>(found - names.begin());
}

}  // namespace convoy
