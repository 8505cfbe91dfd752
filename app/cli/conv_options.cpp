#include "app/cli/conv_options.h"

#include <charconv>

#include "engine/base/error.h"

namespace convoy::cli {
namespace {

std::optional<int> parse_int(std::string_view text) {
  int value = 0;
  const auto result = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || result.ec != std::errc() || result.ptr != text.data() + text.size())
    return std::nullopt;
  return value;
}

constexpr int kLargest = 1 << 20;

}  // namespace

std::pair<int, int> parse_pair(const std::string& option, const std::string& text, int least) {
  const std::size_t cross = text.find('x');
  const auto height = parse_int(std::string_view(text).substr(0, cross));
  const auto width =
      cross == std::string::npos ? height : parse_int(std::string_view(text).substr(cross + 1));
  const auto valid = [&](const std::optional<int>& n) {
    return n && *n >= least && *n <= kLargest;
  };
  if (!valid(height) || !valid(width))
    throw Error(ErrorKind::kUsage, option,
                "found \"" + text + "\"; it must be N or HxW with integers from " +
                    std::to_string(least) + " to " + std::to_string(kLargest));
  return {*height, *width};
}

PaddingOption::PaddingOption(const std::string& text) {
  if (text == "same") return;
  if (text == "valid") {
    fixed_ = Padding();
    return;
  }
  try {
    const auto [height, width] = parse_pair("--padding", text, 0);
    fixed_ = Padding{height, width, height, width};
  } catch (const Error& error) {
    throw Error(ErrorKind::kUsage, "", std::string(error.what()) + ", \"same\" or \"valid\"");
  }
}

Padding PaddingOption::of_kernel(int kernel_height, int kernel_width) const {
  return fixed_ ? *fixed_ : Padding::same(kernel_height, kernel_width);
}

KernelRange parse_kernel_range(const std::string& text, int kernels) {
  const std::size_t colon = text.find(':');
  const auto first = parse_int(std::string_view(text).substr(0, colon));
  const auto last = colon == std::string::npos
                        ? std::nullopt
                        : parse_int(std::string_view(text).substr(colon + 1));
  if (!first || !last || *first < 0 || *last <= *first || *last > kernels)
    throw Error(ErrorKind::kUsage, "--kernels",
                "found \"" + text + "\"; it must be FIRST:LAST with 0 <= FIRST < LAST <= " +
                    std::to_string(kernels) + ", the number of kernels (LAST is not included)");
  return {*first, *last};
}

}  // namespace convoy::cli
