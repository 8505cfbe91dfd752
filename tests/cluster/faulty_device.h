// A real device that fails, hangs, dawdles or lies at a call that a test chooses. No clock decides:
// a device that hangs waits until the test lets it go.
#pragma once

#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <new>
#include <string>
#include <thread>
#include <utility>

#include "engine/device/forwarding_device.h"

namespace convoy {

enum class Fault {
  kThrow,        // Error(kDevice)
  kOutOfMemory,  // std::bad_alloc
  kHang          // does not return, whatever is asked of it, until release(); then goes on as ever
};

enum class Call { kMakeConv, kForward, kBackwardWeights, kBackwardData, kForEach };

inline Call call_of(Pass pass) {
  switch (pass) {
    case Pass::kForward:
      return Call::kForward;
    case Pass::kBackwardData:
      return Call::kBackwardData;
    default:
      return Call::kBackwardWeights;
  }
}

// The test's end of a faulty device. Thread-safe.
class Faults {
 public:
  // The call after `after` more of its kind fails, and so does every one of any kind after it.
  void arm(Call call, Fault fault, int after = 0) {
    const std::lock_guard lock(mutex_);
    call_ = call;
    fault_ = fault;
    left_ = after;
    armed_ = true;
    broken_ = false;
  }
  // Every call takes so much longer.
  void dawdle(std::chrono::milliseconds time) {
    const std::lock_guard lock(mutex_);
    dawdle_ = time;
  }
  // Ends all hanging, now and later, and every failing.
  void release() {
    {
      const std::lock_guard lock(mutex_);
      armed_ = broken_ = false;
      ++releases_;
    }
    changed_.notify_all();
  }
  bool hanging() const {
    const std::lock_guard lock(mutex_);
    return hanging_;
  }
  // Until nobody is within a call any more.
  void wait_until_idle() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return inside_ == 0; });
  }

  // For the device.
  class Inside {
   public:
    Inside(Faults& faults, Call call) : faults_(faults) { faults_.enter(call); }
    ~Inside() { faults_.leave(); }
    Inside(const Inside&) = delete;
    Inside& operator=(const Inside&) = delete;

   private:
    Faults& faults_;
  };

 private:
  void enter(Call call) {
    std::unique_lock lock(mutex_);
    if (armed_ && call == call_ && left_-- == 0) {
      armed_ = false;
      broken_ = true;
    }
    if (broken_ && fault_ == Fault::kThrow)
      throw Error(ErrorKind::kDevice, "test:7", "the device has been unplugged");
    if (broken_ && fault_ == Fault::kOutOfMemory) throw std::bad_alloc();
    ++inside_;
    if (dawdle_.count() > 0) {
      const auto time = dawdle_;
      lock.unlock();
      std::this_thread::sleep_for(time);
      lock.lock();
    }
    if (!broken_) return;
    hanging_ = true;
    changed_.notify_all();
    const int before = releases_;
    changed_.wait(lock, [&] { return releases_ != before; });
    hanging_ = false;
  }
  void leave() {
    {
      const std::lock_guard lock(mutex_);
      --inside_;
    }
    changed_.notify_all();
  }

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  bool armed_ = false, broken_ = false, hanging_ = false;
  Call call_ = Call::kForward;
  Fault fault_ = Fault::kThrow;
  std::chrono::milliseconds dawdle_{0};
  int left_ = 0, inside_ = 0, releases_ = 0;
};

// Computes everything with one algorithm, so that the same shares give the same bits.
class FaultyDevice : public ForwardingDevice {
 public:
  FaultyDevice(std::unique_ptr<Device> device, std::shared_ptr<Faults> faults)
      : ForwardingDevice(std::move(device)), faults_(std::move(faults)) {}

  std::unique_ptr<DeviceConv> make_conv(const ConvProblem& problem,
                                        const DeviceConvOptions& options) override {
    const Faults::Inside inside(*faults_, Call::kMakeConv);
    DeviceConvOptions fixed = options;
    fixed.algorithm = "gemm";
    fixed.algorithms = {};
    return std::make_unique<Conv>(ForwardingDevice::make_conv(problem, fixed), faults_);
  }
  void for_each(std::size_t count, const std::function<void(std::size_t)>& work,
                const StopToken*) override {
    const Faults::Inside inside(*faults_, Call::kForEach);
    ForwardingDevice::for_each(count, work, nullptr);
  }

 private:
  class Conv : public ForwardingConv {
   public:
    Conv(std::unique_ptr<DeviceConv> conv, std::shared_ptr<Faults> faults)
        : ForwardingConv(std::move(conv)), faults_(std::move(faults)) {}
    bool works_in_parts() const override { return false; }
    void run(Pass pass, float* result, const StopToken*) override {
      const Faults::Inside inside(*faults_, call_of(pass));
      ForwardingConv::run(pass, result, nullptr);  // a driver's call knows no stop
    }

   private:
    std::shared_ptr<Faults> faults_;
  };

  std::shared_ptr<Faults> faults_;
};

}  // namespace convoy
