#include "ui/models/device_catalog.h"

#include <QCoreApplication>
#include <algorithm>

#include "engine/base/error.h"
#include "engine/device/discovery.h"

namespace convoy::ui {

DeviceCatalog DeviceCatalog::detect() {
  DeviceCatalog catalog;
  std::vector<std::string> messages;
  catalog.m_devices = list_devices(&messages);
  for (const std::string& message : messages)
    catalog.m_messages.append(QString::fromStdString(message));
  catalog.m_defaults = default_devices();
  catalog.m_cores = available_cores();
  return catalog;
}

std::optional<DeviceInfo> DeviceCatalog::describe(const std::string& id, QString* reason) const {
  const auto missing = [&](const QString& why) {
    if (reason) *reason = why;
    return std::nullopt;
  };
  for (const DeviceInfo& device : m_devices)
    if (device.id == id) return device;
  for (const DeviceInfo& device : m_devices) {
    if (device.id == "cpu" || !id.starts_with(device.id + ":")) continue;
    try {
      return part_of_device(device, id.substr(device.id.size() + 1));
    } catch (const Error& error) {
      return missing(QString::fromUtf8(error.what()));
    }
  }
  if (!id.starts_with("cpu:"))
    return missing(QCoreApplication::translate("DeviceCatalog", "This machine has no device %1.")
                       .arg(QString::fromStdString(id)));

  const auto cpu = std::find_if(m_devices.begin(), m_devices.end(),
                                [](const DeviceInfo& device) { return device.id == "cpu"; });
  if (cpu == m_devices.end())
    return missing(QCoreApplication::translate("DeviceCatalog", "No CPU was detected."));
  DeviceInfo info = *cpu;
  info.id = id;
  try {
    info.cores = parse_core_list(id.substr(4));
  } catch (const Error& error) {
    return missing(QString::fromUtf8(error.what()));
  }
  for (const int core : info.cores)
    if (!std::binary_search(m_cores.begin(), m_cores.end(), core))
      return missing(QCoreApplication::translate("DeviceCatalog",
                                                 "This machine has no core %1; it has cores %2.")
                         .arg(core)
                         .arg(QString::fromStdString(core_list_text(m_cores))));
  info.compute_units = static_cast<int>(info.cores.size());
  return info;
}

std::string cpuDeviceId(const std::vector<int>& cores) {
  return cores == available_cores() ? "cpu" : "cpu:" + core_list_text(cores);
}

}  // namespace convoy::ui
