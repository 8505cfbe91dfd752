#include "app/cli/device_argument.h"

#include <iostream>

#include "engine/device/discovery.h"

namespace convoy::cli {

std::unique_ptr<Device> open_device_aloud(const std::string& id) {
  auto device = open_device(id);
  for (const std::string& warning : device->info().warnings)
    std::cerr << "convoy: warning: " << device->info().id << ": " << warning << '\n';
  return device;
}

}  // namespace convoy::cli
