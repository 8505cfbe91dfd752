#include "engine/device/discovery.h"

#include <algorithm>
#include <utility>

#include "engine/device/cpu_device.h"
#include "engine/device/opencl_device.h"

namespace convoy {
namespace {

constexpr std::string_view kCpu = "cpu", kCpuCores = "cpu:", kOpenCl = "opencl:";

std::unique_ptr<Device> open_cpu_device(const std::string& id) {
  const std::vector<int> available = available_cores();
  if (id == kCpu) return std::make_unique<CpuDevice>(id, available);
  const std::vector<int> cores = parse_core_list(id.substr(kCpuCores.size()));
  for (int core : cores)
    if (!std::binary_search(available.begin(), available.end(), core))
      throw Error(ErrorKind::kDevice, id,
                  "there is no core " + std::to_string(core) +
                      " that this process may use; its cores are " + core_list_text(available));
  return std::make_unique<CpuDevice>(id, cores);
}

}  // namespace

void Device::for_each(std::size_t count, const std::function<void(std::size_t)>& work,
                      const StopToken* stop) {
  if (ThreadPool* const pool = host_pool())
    return pool->parallel_for(
        count, [&](std::size_t i, int) { work(i); }, stop);
  for (std::size_t i = 0; i < count; ++i) {
    if (stop) stop->throw_if_stopped();
    work(i);
  }
}

const char* device_kind_name(DeviceKind kind) {
  switch (kind) {
    case DeviceKind::kCpu:
      return "CPU";
    case DeviceKind::kGpu:
      return "GPU";
    case DeviceKind::kAccelerator:
      break;
  }
  return "accelerator";
}

std::vector<DeviceInfo> list_devices(std::vector<std::string>* messages) {
  std::vector<DeviceInfo> devices = {cpu_device_info(std::string(kCpu), available_cores())};
  for (DeviceInfo& device : list_opencl_devices(messages)) devices.push_back(std::move(device));
  return devices;
}

std::unique_ptr<Device> open_device(const std::string& id) {
  if (id == kCpu || id.starts_with(kCpuCores)) return open_cpu_device(id);
  if (id.starts_with(kOpenCl)) return open_opencl_device(id);
  std::string ids;
  for (const DeviceInfo& device : list_devices()) ids += device.id + ", ";
  throw Error(ErrorKind::kDevice, id.empty() ? "device" : id,
              "there is no such device; there are " + ids + "and cpu:CORES for some of the cores " +
                  core_list_text(available_cores()) +
                  ", such as cpu:" + std::to_string(available_cores().front()));
}

}  // namespace convoy
