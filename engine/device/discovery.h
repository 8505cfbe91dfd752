// Which devices there are, and opening one by its id.
//
// Ids: `cpu` (all cores), `cpu:0`, `cpu:0-3`, `cpu:0,2` (those cores), `opencl:P:D` (platform and
// device number), `opencl:P:D:0-3` (some cores of a CPU runtime; where the runtime can be told
// which, otherwise refused). Safe to call from any thread.
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

// `cores` ("0-3") of an OpenCL device that is a CPU, without opening it: its id, cores and compute
// units. Throws Error(kDevice) where the runtime cannot be told which cores to use.
DeviceInfo part_of_device(const DeviceInfo& whole, const std::string& cores);

// Has OpenCL runtimes that compute on the CPU keep each of their threads on one core, where they
// can (PoCL: POCL_AFFINITY=1, unless the environment has it set); without it devices have no
// parts. To be called at the very start of a program: it changes the environment, which no other
// thread may read meanwhile, and runtimes read it when they are first asked for devices.
void keep_runtimes_on_cores();

// The cores that this process may use, rising.
std::vector<int> available_cores();
// "0-3,6" to {0,1,2,3,6} and back. Throws Error(kDevice) on a malformed list, which it names as
// that of `device`: "cpu:0-3,6".
std::vector<int> parse_core_list(const std::string& text, const std::string& device = "cpu");
std::string core_list_text(const std::vector<int>& cores);

}  // namespace convoy
