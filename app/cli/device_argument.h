// The device that a command line names.
#pragma once

#include <memory>
#include <string>

#include "engine/device/device.h"

namespace convoy::cli {

// open_device(), with DeviceInfo::warnings to standard error.
std::unique_ptr<Device> open_device_aloud(const std::string& id);

}  // namespace convoy::cli
