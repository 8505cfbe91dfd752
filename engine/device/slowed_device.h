// A device that stands in for a weaker one: it really computes, then waits until the work has taken
// 1 / speed of the time it took.
#pragma once

#include <memory>

#include "engine/device/device.h"

namespace convoy {

// `speed` in (0, 1]; at 1 the device itself is returned.
std::unique_ptr<Device> slowed_device(std::unique_ptr<Device> device, double speed);

}  // namespace convoy
