// The devices of this machine, and what an id stands for.
#pragma once

#include <QString>
#include <QStringList>
#include <optional>
#include <string>
#include <vector>

#include "engine/device/device.h"
#include "engine/training/experiment.h"

namespace convoy::ui {

class DeviceCatalog {
 public:
  // Asks every driver; takes as long as the slowest one.
  static DeviceCatalog detect();

  const std::vector<DeviceInfo>& devices() const { return m_devices; }
  const std::vector<DeviceSpec>& defaults() const { return m_defaults; }
  const std::vector<int>& cores() const { return m_cores; }
  // Drivers that did not answer.
  const QStringList& messages() const { return m_messages; }

  // Nothing when this machine has no such device; `reason` then says why.
  std::optional<DeviceInfo> describe(const std::string& id, QString* reason = nullptr) const;

 private:
  std::vector<DeviceInfo> m_devices;
  std::vector<DeviceSpec> m_defaults;
  std::vector<int> m_cores;
  QStringList m_messages;
};

// "cpu:0-3"; "cpu" when these are all the machine's cores.
std::string cpuDeviceId(const std::vector<int>& cores);

}  // namespace convoy::ui
