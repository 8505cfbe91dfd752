// The OpenCL device that the tests use. Set-up installs PoCL, so there always is one.
#pragma once

#include <QTest>
#include <memory>

#include "engine/device/opencl_runtime.h"

namespace convoy {

// Throws with a message that says what is missing, and so fails the test, where there is none.
inline OpenClDeviceEntry first_opencl_device() {
  std::vector<std::string> messages;
  const auto entries = enumerate_opencl_devices(&messages);
  if (!entries.empty()) return entries.front();
  std::string what = "this machine has no OpenCL device; scripts/test installs pocl-opencl-icd";
  for (const std::string& message : messages) what += "; " + message;
  throw Error(ErrorKind::kDevice, "OpenCL", what);
}

// A context of its own for that device, taken for a GPU.
inline std::shared_ptr<OpenClContext> first_opencl_device_as_gpu() {
  OpenClDeviceEntry entry = first_opencl_device();
  entry.info.kind = DeviceKind::kGpu;
  return std::make_shared<OpenClContext>(entry);
}

}  // namespace convoy
