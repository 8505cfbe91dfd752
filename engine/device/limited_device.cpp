#include "engine/device/limited_device.h"

#include <utility>

namespace convoy {
namespace {

class LimitedDevice : public Device {
 public:
  LimitedDevice(std::unique_ptr<Device> device, std::size_t bytes)
      : device_(std::move(device)), bytes_(bytes) {}

  const DeviceInfo& info() const override { return device_->info(); }
  std::unique_ptr<DeviceConv> make_conv(const ConvProblem& problem,
                                        const DeviceConvOptions& options) override {
    return device_->make_conv(problem, limited(options));
  }
  std::size_t planned_scratch(const std::vector<ConvProblem>& layers,
                              const DeviceConvOptions& options) override {
    return device_->planned_scratch(layers, limited(options));
  }
  ThreadPool* host_pool() override { return device_->host_pool(); }
  void for_each(std::size_t count, const std::function<void(std::size_t)>& work,
                const StopToken* stop) override {
    device_->for_each(count, work, stop);
  }

 private:
  DeviceConvOptions limited(DeviceConvOptions options) const {
    if (options.scratch_limit == 0) options.scratch_limit = bytes_;
    return options;
  }

  std::unique_ptr<Device> device_;
  std::size_t bytes_;
};

}  // namespace

std::unique_ptr<Device> limited_device(std::unique_ptr<Device> device, std::size_t bytes) {
  if (bytes == 0) return device;
  return std::make_unique<LimitedDevice>(std::move(device), bytes);
}

}  // namespace convoy
