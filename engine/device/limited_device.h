// A device that takes no more scratch memory than it is allowed.
#pragma once

#include <memory>

#include "engine/device/device.h"

namespace convoy {

// The device with `bytes` as the scratch limit of every convolution that names none itself; 0
// leaves the device's own default, and the device as it is.
std::unique_ptr<Device> limited_device(std::unique_ptr<Device> device, std::size_t bytes);

}  // namespace convoy
