// OpenCL C compiled for a device, or taken from the user's cache of compiled programs.
#pragma once

#include <string>
#include <string_view>

#include "engine/device/opencl_handles.h"
#include "engine/device/opencl_program_cache.h"

namespace convoy {

struct ProgramRequest {
  cl_context context = nullptr;
  cl_device_id device = nullptr;
  std::string where;        // the device's id, for messages
  std::string fingerprint;  // ProgramKey::device
  std::string file;         // the source's name, for messages
  std::string_view source;
  std::string options;
};

struct BuiltProgram {
  ClProgram program;
  bool from_cache = false;
};

// A binary of `cache` that the driver refuses is replaced by what it makes of the source. A binary
// is the driver's business and may be wrong nonetheless: what a program computes is checked on the
// device (checked_product()), wherever it comes from, and one that proves wrong is not to stay in
// the cache. Throws Error(kDevice), with the compiler's
// whole log where that refuses the source; OutOfDeviceMemory; DeviceUnavailable.
BuiltProgram build_program(const ProgramRequest& request, const ProgramCache& cache);
// What `cache` has for it.
ProgramKey program_key(const ProgramRequest& request);

}  // namespace convoy
