// Numbers as text that reads back to the same value, with a dot whatever the locale.
#pragma once

#include <charconv>
#include <string>

namespace convoy {

template <class Number>
std::string number_text(Number value) {
  char text[64];
  const auto result = std::to_chars(text, text + sizeof text, value);
  return std::string(text, result.ptr);
}

}  // namespace convoy
