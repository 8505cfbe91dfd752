#include "engine/device/discovery.h"
#include "engine/training/experiment.h"

namespace convoy {

std::vector<DeviceSpec> default_devices() {
  const std::vector<int> cores = available_cores();
  const auto middle = cores.begin() + static_cast<std::ptrdiff_t>((cores.size() + 1) / 2);
  std::vector<DeviceSpec> devices;
  const auto add_cpu = [&](const std::vector<int>& part) {
    if (part.empty()) return;
    DeviceSpec device;
    device.id = device.name = "cpu:" + core_list_text(part);
    devices.push_back(device);
  };
  add_cpu({cores.begin(), middle});
  add_cpu({middle, cores.end()});
  for (const DeviceInfo& info : list_devices()) {
    if (info.kind == DeviceKind::kCpu) continue;
    DeviceSpec device;
    device.id = device.name = info.id;
    devices.push_back(device);
  }
  return devices;
}

}  // namespace convoy
