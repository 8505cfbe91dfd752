// --vary of a command: values to try instead of the experiment's own.
#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

#include "engine/training/variations.h"

namespace convoy::cli {

// --vary, filled into `texts` as the command line is read. `does`: what the command does with each
// value, "runs".
CLI::Option* add_vary_option(CLI::App& command, std::vector<std::string>& texts,
                             const std::string& does);
// In the order given. Throws Error(kExperiment) as parse_variation(), Error(kUsage) where a path is
// varied twice.
std::vector<Variation> parse_variations(const std::vector<std::string>& texts);
std::vector<std::string> paths_of(const std::vector<Variation>& variations);

}  // namespace convoy::cli
