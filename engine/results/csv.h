// Lines of a CSV file after RFC 4180: fields separated by commas, quoted where they must be, CRLF
// at the end of every line.
#pragma once

#include <concepts>
#include <optional>
#include <string>
#include <string_view>

#include "engine/base/number_text.h"

namespace convoy {

// The field as it stands in the file: in quotes when it has a comma, a quote or a line break.
std::string csv_field(std::string_view text);

// Collects the fields of one line after another.
class CsvLines {
 public:
  CsvLines& add(std::string_view text);
  // Without this a literal would be taken for a bool.
  CsvLines& add(const char* text) { return add(std::string_view(text)); }
  // As text that reads back to the same value; NaN and infinity as "nan" and "inf".
  template <class Number>
  requires std::integral<Number> || std::floating_point<Number> CsvLines& add(Number value) {
    return add(std::string_view(number_text(value)));
  }
  // A value that does not exist is an empty field.
  template <class Value>
  CsvLines& add(const std::optional<Value>& value) {
    return value ? add(*value) : add(std::string_view());
  }
  template <class... Values>
  CsvLines& add_all(const Values&... values) {
    (add(values), ...);
    return *this;
  }
  void end_line();

  const std::string& text() const { return text_; }

 private:
  std::string text_;
  bool line_is_empty_ = true;
};

}  // namespace convoy
