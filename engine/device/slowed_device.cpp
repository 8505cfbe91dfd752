#include "engine/device/slowed_device.h"

#include <chrono>
#include <utility>

#include "engine/base/pace_clock.h"
#include "engine/device/forwarding_device.h"

namespace convoy {
namespace {

// Waits `extra` times what has passed since `begin` and what was owed before.
void wait_longer(std::chrono::steady_clock::time_point begin,
                 std::chrono::steady_clock::duration owed, double extra, const StopToken* stop) {
  const auto end = std::chrono::steady_clock::now();
  const auto wait = extra * (end - begin + owed);
  real_clock().sleep_until(end + std::chrono::duration_cast<std::chrono::nanoseconds>(wait), stop);
}

class SlowedConv : public ForwardingConv {
 public:
  SlowedConv(std::unique_ptr<DeviceConv> conv, double speed)
      : ForwardingConv(std::move(conv)), extra_(1.0 / speed - 1.0) {}

  void set_operand(Operand operand, const float* host) override {
    const auto begin = std::chrono::steady_clock::now();
    ForwardingConv::set_operand(operand, host);
    // Uploads and transforms are the device's work too; they are waited for with the next pass,
    // which can be stopped.
    owed_ += std::chrono::steady_clock::now() - begin;
  }
  void run(Pass pass, float* result, const StopToken* stop) override {
    const auto begin = std::chrono::steady_clock::now();
    ForwardingConv::run(pass, result, stop);
    wait_longer(begin, std::exchange(owed_, {}), extra_, stop);
  }
  void run_part(Pass pass, Range pictures, float* result, const StopToken* stop) override {
    const auto begin = std::chrono::steady_clock::now();
    ForwardingConv::run_part(pass, pictures, result, stop);
    wait_longer(begin, std::exchange(owed_, {}), extra_, stop);
  }

 private:
  double extra_;
  std::chrono::steady_clock::duration owed_{};
};

class SlowedDevice : public ForwardingDevice {
 public:
  SlowedDevice(std::unique_ptr<Device> device, double speed)
      : ForwardingDevice(std::move(device)), speed_(speed) {}

  std::unique_ptr<DeviceConv> make_conv(const ConvProblem& problem,
                                        const DeviceConvOptions& options) override {
    return std::make_unique<SlowedConv>(ForwardingDevice::make_conv(problem, options), speed_);
  }
  void for_each(std::size_t count, const std::function<void(std::size_t)>& work,
                const StopToken* stop) override {
    const auto begin = std::chrono::steady_clock::now();
    ForwardingDevice::for_each(count, work, stop);
    wait_longer(begin, {}, 1.0 / speed_ - 1.0, stop);
  }

 private:
  double speed_;
};

}  // namespace

std::unique_ptr<Device> slowed_device(std::unique_ptr<Device> device, double speed) {
  if (!(speed > 0.0 && speed <= 1.0))
    throw Error(ErrorKind::kDevice, device->info().id,
                "speed is " + std::to_string(speed) + "; it must be above 0 and at most 1");
  if (speed == 1.0) return device;
  return std::make_unique<SlowedDevice>(std::move(device), speed);
}

}  // namespace convoy
