// How the command line writes paddings, strides and sizes.
#pragma once

#include <optional>
#include <string>
#include <utility>

#include "engine/conv/conv_problem.h"

namespace convoy::cli {

// All throw Error(kUsage) that names the option.

// "5" is 5x5, "3x5" is three high and five wide; each at least `least`.
std::pair<int, int> parse_pair(const std::string& option, const std::string& text, int least);

// "valid", "same", "2", "1x2" (rows above and below, columns left and right).
class PaddingOption {
 public:
  explicit PaddingOption(const std::string& text);
  // "same" depends on the kernel.
  bool is_same() const { return !fixed_; }
  Padding of_kernel(int kernel_height, int kernel_width) const;

 private:
  std::optional<Padding> fixed_;  // empty: "same"
};

// "2:5" is the kernels 2, 3 and 4.
struct KernelRange {
  int first, last;
};
KernelRange parse_kernel_range(const std::string& text, int kernels);

inline constexpr const char* kPaddingHelp = "P, PHxPW (zeros on each side), \"same\" or \"valid\"";

}  // namespace convoy::cli
