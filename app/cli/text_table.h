// Tables and numbers for people to read in a terminal.
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace convoy::cli {

// Columns as wide as they need to be, two blanks apart, a heading line on top. Columns whose
// heading begins with '<' (not shown) are flushed left, the others right.
class TextTable {
 public:
  explicit TextTable(std::vector<std::string> headings);
  void add_row(std::vector<std::string> cells);
  std::string text() const;

 private:
  std::vector<bool> left_;
  std::vector<std::vector<std::string>> rows_;
};

// "12.35": rounded, with a dot whatever the locale.
std::string fixed(double value, int digits);
// "-" where there is no value.
std::string fixed(const std::optional<double>& value, int digits);
// "12.3 %" of 0.123.
std::string percent(double fraction, int digits = 1);
// "67.3 GB"
std::string bytes_text(double bytes);
// "1:02:03", "2:03"
std::string duration_text(double seconds);

}  // namespace convoy::cli
