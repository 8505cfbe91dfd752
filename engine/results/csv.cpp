#include "engine/results/csv.h"

namespace convoy {

std::string csv_field(std::string_view text) {
  if (text.find_first_of(",\"\r\n") == std::string_view::npos) return std::string(text);
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"') quoted += '"';
    quoted += c;
  }
  return quoted + '"';
}

CsvLines& CsvLines::add(std::string_view text) {
  if (!line_is_empty_) text_ += ',';
  line_is_empty_ = false;
  text_ += csv_field(text);
  return *this;
}

void CsvLines::end_line() {
  text_ += "\r\n";
  line_is_empty_ = true;
}

}  // namespace convoy
