#include "engine/device/slowed_device.h"

#include <chrono>

#include "engine/base/pace_clock.h"

namespace convoy {
namespace {

class SlowedConv : public DeviceConv {
 public:
  SlowedConv(std::unique_ptr<DeviceConv> conv, double speed)
      : conv_(std::move(conv)), extra_(1.0 / speed - 1.0) {}

  const ConvProblem& problem() const override { return conv_->problem(); }
  void set_operand(Operand operand, const float* host) override {
    const auto begin = std::chrono::steady_clock::now();
    conv_->set_operand(operand, host);
    // Uploads and transforms are the device's work too; they are waited for with the next pass,
    // which can be stopped.
    owed_ += std::chrono::steady_clock::now() - begin;
  }
  void run(Pass pass, float* result, const StopToken* stop) override {
    const auto begin = std::chrono::steady_clock::now();
    conv_->run(pass, result, stop);
    const auto end = std::chrono::steady_clock::now();
    const auto wait = extra_ * (end - begin + owed_);
    owed_ = {};
    real_clock().sleep_until(end + std::chrono::duration_cast<std::chrono::nanoseconds>(wait),
                             stop);
  }
  std::string algorithm(Pass pass) const override { return conv_->algorithm(pass); }
  ChosenBy chosen_by(Pass pass) const override { return conv_->chosen_by(pass); }
  double executed_flops(Pass pass) const override { return conv_->executed_flops(pass); }
  ConvPhases phases(Pass pass) const override { return conv_->phases(pass); }
  std::size_t scratch_bytes() const override { return conv_->scratch_bytes(); }

 private:
  std::unique_ptr<DeviceConv> conv_;
  double extra_;
  std::chrono::steady_clock::duration owed_{};
};

class SlowedDevice : public Device {
 public:
  SlowedDevice(std::unique_ptr<Device> device, double speed)
      : device_(std::move(device)), speed_(speed) {}

  const DeviceInfo& info() const override { return device_->info(); }
  std::unique_ptr<DeviceConv> make_conv(const ConvProblem& problem,
                                        const DeviceConvOptions& options) override {
    return std::make_unique<SlowedConv>(device_->make_conv(problem, options), speed_);
  }
  std::size_t planned_scratch(const std::vector<ConvProblem>& layers,
                              const DeviceConvOptions& options) override {
    return device_->planned_scratch(layers, options);
  }
  ThreadPool* host_pool() override { return device_->host_pool(); }

 private:
  std::unique_ptr<Device> device_;
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
