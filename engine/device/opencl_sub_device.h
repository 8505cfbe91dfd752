// `opencl:P:D:CORES`: some of the cores of a CPU runtime's device.
//
// OpenCL 1.2 divides a device into numbers of compute units and has no words for cores. The cores
// are those that were asked for only where the runtime keeps the thread of each unit on a core of
// its own, in the order of their numbers: PoCL does with POCL_AFFINITY=1 in its environment
// (keep_runtimes_on_cores() of discovery.h). Everything else is refused with the reason.
#pragma once

#include <string>

#include "engine/device/opencl_runtime.h"

namespace convoy {

// `cores` as in "0-3". The device is made once for the process and stays. Throws Error(kDevice).
OpenClDeviceEntry opencl_sub_device(const OpenClDeviceEntry& whole, const std::string& cores);

}  // namespace convoy
