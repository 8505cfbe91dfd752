#include "engine/training/run_devices.h"

#include <algorithm>
#include <cmath>
#include <set>

#include "engine/base/number_text.h"
#include "engine/device/discovery.h"
#include "engine/device/limited_device.h"
#include "engine/device/slowed_device.h"

namespace convoy {
namespace {

bool is_cpu_device(const DeviceSpec& spec) {
  return spec.id.rfind("cpu", 0) == 0;
}

// "A (cpu:0)", or just the id where it is the name.
std::string label(const RunDevice& device) {
  if (device.name == device.info.id) return device.name;
  std::string text = device.name;
  return text.append(" (").append(device.info.id).append(")");
}

std::vector<int> common_cores(const DeviceInfo& a, const DeviceInfo& b) {
  std::vector<int> common;
  std::set_intersection(a.cores.begin(), a.cores.end(), b.cores.begin(), b.cores.end(),
                        std::back_inserter(common));
  return common;
}

// Whether it is kept on cores that its id names: "cpu:0", "opencl:0:0:1".
bool has_cores_of_its_own(const DeviceSpec& spec) {
  return is_cpu_device(spec) || std::count(spec.id.begin(), spec.id.end(), ':') == 3;
}

// Two CPU devices must not share a core; an OpenCL CPU runtime cannot be kept off the others'
// cores, and the person who asked for it is told.
void check_cores(const std::vector<DeviceSpec>& specs, RunDevices& devices) {
  for (std::size_t a = 0; a < specs.size(); ++a)
    for (std::size_t b = a + 1; b < specs.size(); ++b) {
      const RunDevice& first = devices.described[a];
      const RunDevice& second = devices.described[b];
      const auto common = common_cores(first.info, second.info);
      if (common.empty()) {
        if (first.info.id == second.info.id)
          devices.warnings.push_back("Devices " + label(first) + " and " + label(second) +
                                     " are the same device: each slows the other down.");
        continue;
      }
      if (is_cpu_device(specs[a]) && is_cpu_device(specs[b]))
        throw Error(ErrorKind::kExperiment, "/devices/" + std::to_string(b) + "/id",
                    "device " + label(second) + " shares core " + core_list_text(common) +
                        " with device " + label(first) + "; CPU devices need cores of their own");
      devices.warnings.push_back("Devices " + label(first) + " and " + label(second) +
                                 " share core " + core_list_text(common) +
                                 ": each slows the other down, and their times show it.");
    }
}

// With a GPU as the master's own device, the rest of the step gets the cores that are left; with
// some cores of a CPU runtime, those.
void find_master_pool(const std::vector<DeviceSpec>& specs, ClockMode clock, RunDevices& devices) {
  devices.master_pool = devices.members.front().device->host_pool();
  if (devices.master_pool) return;
  std::vector<int> cores = has_cores_of_its_own(specs.front())
                               ? devices.described.front().info.cores
                               : available_cores();
  for (std::size_t i = 1; i < specs.size(); ++i) {
    if (!has_cores_of_its_own(specs[i]) || clock == ClockMode::kVirtual) continue;
    for (const int core : devices.described[i].info.cores) std::erase(cores, core);
  }
  if (cores.empty()) {
    cores = available_cores();
    devices.warnings.push_back(
        "No core is left for the master: everything outside the convolutional layers shares the "
        "cores of the CPU devices.");
  }
  devices.own_pool = std::make_unique<ThreadPool>(cores);
  devices.master_pool = devices.own_pool.get();
}

// What makes two devices the same one for a measurement.
std::string hardware_of(const DeviceSpec& spec) {
  std::string text = spec.id;
  if (spec.scratch_limit_mb) text += ", " + number_text(*spec.scratch_limit_mb) + " MB";
  return text;
}

}  // namespace

std::unique_ptr<Device> open_run_device(const DeviceSpec& spec, ClockMode clock) {
  const double bytes = spec.scratch_limit_mb.value_or(0.0) * 1e6;
  auto device = limited_device(open_device(spec.id), static_cast<std::size_t>(std::ceil(bytes)));
  return clock == ClockMode::kVirtual ? std::move(device)
                                      : slowed_device(std::move(device), spec.speed);
}

RunDevices open_run_devices(const std::vector<DeviceSpec>& specs, const LinkSettings& default_link,
                            ClockMode clock) {
  RunDevices devices;
  for (std::size_t i = 0; i < specs.size(); ++i) {
    const DeviceSpec& spec = specs[i];
    ClusterMember member{open_run_device(spec, clock), spec.link.value_or(default_link), spec.speed,
                         hardware_of(spec)};
    RunDevice described{spec.name.empty() ? spec.id : spec.name, member.device->info(), spec.speed,
                        std::nullopt};
    if (i > 0) described.link = member.link;
    for (const std::string& warning : described.info.warnings)
      devices.warnings.push_back("Device " + label(described) + ": " + warning + ".");
    devices.members.push_back(std::move(member));
    devices.described.push_back(std::move(described));
  }
  if (clock == ClockMode::kWall) check_cores(specs, devices);
  find_master_pool(specs, clock, devices);
  return devices;
}

}  // namespace convoy
