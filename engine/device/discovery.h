// Which devices there are, and opening one by its id.
//
// Ids: `cpu` (all cores), `cpu:0`, `cpu:0-3`, `cpu:0,2` (those cores), `opencl:P:D` (platform and
// device number). Safe to call from any thread.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "engine/device/device.h"

namespace convoy {

// `cpu` first, then every OpenCL device. A platform that fails to answer is left out; the reason is
// appended to `messages` when given.
std::vector<DeviceInfo> list_devices(std::vector<std::string>* messages = nullptr);

// Throws Error(kDevice) that says what is wrong with the id and which ids there are.
std::unique_ptr<Device> open_device(const std::string& id);

// The cores that this process may use, rising.
std::vector<int> available_cores();
// "0-3,6" to {0,1,2,3,6} and back. Throws Error(kDevice) on a malformed list.
std::vector<int> parse_core_list(const std::string& text);
std::string core_list_text(const std::vector<int>& cores);

}  // namespace convoy
