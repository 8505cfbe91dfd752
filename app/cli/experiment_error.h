// Says in whose experiment something turned out to be impossible.
#pragma once

#include <string>

#include "engine/base/error.h"

namespace convoy::cli {

// What turns out to be impossible only with the data or a calibration at hand is said without the
// file; this adds it to an Error(kExperiment) and throws.
[[noreturn]] inline void rethrow_with_file(const Error& error, const std::string& file) {
  if (error.kind() != ErrorKind::kExperiment) throw error;
  throw Error(ErrorKind::kExperiment, file, error.what());
}

}  // namespace convoy::cli
