// The experiment that a command works on: a file, changed by what --set says.
#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

#include "engine/base/error.h"

namespace convoy::cli {

struct ExperimentArgument {
  std::string file;
  std::vector<std::string> settings;

  // EXPERIMENT.json and --set. `this` is filled as the command line is read.
  void add_to(CLI::App& command);
  // The file's text with all settings in it. Throws Error(kExperiment).
  std::string text() const;
  // What turns out to be impossible only with the data or a calibration at hand is said without the
  // file; this adds it to an Error(kExperiment) and throws.
  [[noreturn]] void rethrow(const Error& error) const;
};

}  // namespace convoy::cli
