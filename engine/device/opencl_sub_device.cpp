#include "engine/device/opencl_sub_device.h"

#include <algorithm>
#include <cstdlib>

#include "engine/device/discovery.h"

namespace convoy {
namespace {

constexpr const char* kAffinity = "POCL_AFFINITY";

// PoCL numbers cores from 0, whichever of them this process may use.
bool may_use_the_first(std::size_t count) {
  const std::vector<int> cores = available_cores();
  return cores.size() == count && cores.back() == static_cast<int>(count) - 1;
}

bool is_pinned(const DeviceInfo& whole) {
  const char* const value = std::getenv(kAffinity);
  return whole.backend.find("Portable Computing Language") != std::string::npos && value &&
         std::string_view(value) == "1" &&
         may_use_the_first(static_cast<std::size_t>(whole.compute_units));
}

// Units before, of, and behind the sub-device; those that are 0 are left out.
std::vector<cl_device_partition_property> partition(const std::vector<int>& cores, int units) {
  std::vector<cl_device_partition_property> list = {CL_DEVICE_PARTITION_BY_COUNTS};
  const int count = static_cast<int>(cores.size());
  for (const int part : {cores.front(), count, units - cores.front() - count})
    if (part > 0) list.push_back(part);
  list.push_back(CL_DEVICE_PARTITION_BY_COUNTS_LIST_END);
  list.push_back(0);
  return list;
}

cl_device_id create(const OpenClDeviceEntry& whole, const DeviceInfo& part) {
  const auto properties = partition(part.cores, whole.info.compute_units);
  std::vector<cl_device_id> devices(properties.size() - 3);
  cl_check(clCreateSubDevices(whole.device, properties.data(), static_cast<cl_uint>(devices.size()),
                              devices.data(), nullptr),
           "clCreateSubDevices", part.id);
  const std::size_t own = part.cores.front() > 0 ? 1 : 0;
  for (std::size_t i = 0; i < devices.size(); ++i)
    if (i != own) clReleaseDevice(devices[i]);
  return devices[own];
}

}  // namespace

void keep_runtimes_on_cores() {
  const std::vector<int> cores = available_cores();
  if (may_use_the_first(cores.size())) ::setenv(kAffinity, "1", 0);
}

DeviceInfo part_of_device(const DeviceInfo& whole, const std::string& cores) {
  DeviceInfo part = whole;
  part.id += ":" + cores;
  const auto refuse = [&](const std::string& what) {
    throw Error(ErrorKind::kDevice, part.id, what);
  };
  if (whole.kind != DeviceKind::kCpu || !whole.id.starts_with("opencl:"))
    refuse("only an OpenCL device that is a CPU can be divided into cores; " + whole.id + " is " +
           whole.name);
  if (!is_pinned(whole))
    refuse("this runtime cannot be told which cores to use (" + whole.backend +
           "); PoCL can, with POCL_AFFINITY=1 in its environment and all of the machine's cores. "
           "Use " +
           whole.id + ", or cpu:" + cores);
  part.cores = parse_core_list(cores, whole.id);
  for (const int core : part.cores)
    if (core >= whole.compute_units)
      refuse("there is no core " + std::to_string(core) + "; " + whole.id + " has cores " +
             core_list_text(whole.cores));
  part.compute_units = static_cast<int>(part.cores.size());
  if (part.cores.back() - part.cores.front() + 1 != part.compute_units)
    refuse("OpenCL gives a part of a device neighbouring cores only, such as " + whole.id + ":" +
           core_list_text({whole.cores.front(), whole.cores.front() + 1}));
  return part;
}

OpenClDeviceEntry opencl_sub_device(const OpenClDeviceEntry& whole, const std::string& cores) {
  // Never destroyed, as the contexts that are made for them are not.
  static auto& known = *new std::map<std::string, OpenClDeviceEntry>;
  static std::mutex mutex;
  const DeviceInfo part = part_of_device(whole.info, cores);
  const std::lock_guard lock(mutex);
  const auto found = known.find(core_list_text(part.cores) + " of " + whole.info.id);
  if (found != known.end()) {
    OpenClDeviceEntry entry = found->second;
    entry.info.id = part.id;
    return entry;
  }
  OpenClDeviceEntry entry = whole;
  entry.info = part;
  entry.device = create(whole, part);
  return known.emplace(core_list_text(part.cores) + " of " + whole.info.id, entry).first->second;
}

}  // namespace convoy
