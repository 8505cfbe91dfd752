#include "engine/device/limited_device.h"

#include <utility>

#include "engine/device/forwarding_device.h"

namespace convoy {
namespace {

class LimitedDevice : public ForwardingDevice {
 public:
  LimitedDevice(std::unique_ptr<Device> device, std::size_t bytes)
      : ForwardingDevice(std::move(device)), bytes_(bytes) {}

  std::unique_ptr<DeviceConv> make_conv(const ConvProblem& problem,
                                        const DeviceConvOptions& options) override {
    return ForwardingDevice::make_conv(problem, limited(options));
  }
  std::size_t planned_scratch(const std::vector<ConvProblem>& layers,
                              const DeviceConvOptions& options) override {
    return ForwardingDevice::planned_scratch(layers, limited(options));
  }

 private:
  DeviceConvOptions limited(DeviceConvOptions options) const {
    if (options.scratch_limit == 0) options.scratch_limit = bytes_;
    return options;
  }

  std::size_t bytes_;
};

}  // namespace

std::unique_ptr<Device> limited_device(std::unique_ptr<Device> device, std::size_t bytes) {
  if (bytes == 0) return device;
  return std::make_unique<LimitedDevice>(std::move(device), bytes);
}

}  // namespace convoy
