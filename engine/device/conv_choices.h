// Which algorithm was measured fastest for a convolution: remembered by the process, and in a file
// that all of a user's processes share.
//
// The file is only a cache. One that cannot be read or written, is damaged, or comes from elsewhere
// costs a measurement and is never an error. Thread-safe; several processes may use one file.
#pragma once

#include <cstddef>
#include <filesystem>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "engine/conv/conv_problem.h"

namespace convoy {

// All that decides which algorithm is fastest.
struct ConvChoiceKey {
  ConvProblem problem;
  Pass pass = Pass::kForward;
  int threads = 1;
  std::size_t scratch_limit = 0;  // bytes; 0 where more would not be used
  std::string processor;          // as the system calls it
  std::string engine;             // versions of Convoy and of the library that multiplies
  bool operator==(const ConvChoiceKey&) const = default;
};

class ConvChoices {
 public:
  // Reads the file when first asked. An empty path keeps all in memory.
  explicit ConvChoices(std::filesystem::path file);

  // Of this problem, or else of the one nearest to it that differs only in its number of kernels,
  // by at most `factor` (1.1: a tenth more or a tenth fewer). Algorithms change places slowly with
  // the number of kernels, and the shares of a layer vary a little from run to run.
  std::optional<std::string> find(const ConvChoiceKey& key, double factor) const;

  // The first to be remembered for a key stands, so that equal devices that measure at the same
  // time settle on one: returns what is remembered from now on.
  std::string remember(const ConvChoiceKey& key, const std::string& algorithm);
  // The same for what was measured together, so that nobody's choice comes between.
  std::vector<std::string> remember(const std::vector<ConvChoiceKey>& keys,
                                    const std::vector<std::string>& algorithms);

  // The oldest are forgotten beyond this number.
  static constexpr std::size_t kMost = 1000;

 private:
  struct Choice {
    ConvChoiceKey key;
    std::string algorithm;
  };

  void read_file() const;
  void write_file() const;
  const Choice* nearest(const ConvChoiceKey& key, double factor) const;

  const std::filesystem::path file_;
  mutable std::mutex mutex_;
  mutable bool read_ = false;
  mutable std::vector<Choice> choices_;  // the oldest first
};

// conv_choices.json in the user's cache (engine/base/user_cache.h); empty when there is none.
std::filesystem::path conv_choices_file();
// The one that this process's devices use.
ConvChoices& shared_conv_choices();

}  // namespace convoy
