// Some of the machine's cores as a compute device, computing with OpenBLAS.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "engine/device/algorithm_choice.h"
#include "engine/device/device.h"

namespace convoy {

// What a CPU device of these cores says about itself, without starting any thread.
DeviceInfo cpu_device_info(const std::string& id, const std::vector<int>& cores);

// Owns one pinned thread for each core and one piece of scratch memory, grown to what the largest
// of its convolutions needs and shared by them all: one thread uses the device at a time. A
// convolution made here keeps both alive and may outlive the device.
class CpuDevice : public Device {
 public:
  // Throws Error(kDevice) when a core does not exist or may not be used.
  CpuDevice(const std::string& id, const std::vector<int>& cores);
  ~CpuDevice() override;

  const DeviceInfo& info() const override;
  // Takes for each pass, among the algorithms that fit the scratch limit: the named one; else the
  // one that a measurement found to be the fastest (conv_choices.h); else the one with the least
  // estimated time.
  // Throws Error(kUsage) on an unknown algorithm, Error(kDevice) when the named one cannot do the
  // problem or there is no memory for scratch, Error(kExperiment) on an invalid problem.
  std::unique_ptr<DeviceConv> make_conv(const ConvProblem& problem,
                                        const DeviceConvOptions& options = {}) override;
  std::size_t planned_scratch(const std::vector<ConvProblem>& layers,
                              const DeviceConvOptions& options = {}) override;
  ThreadPool* host_pool() override;

 private:
  AlgorithmChoices choose(const ConvProblem& problem, DeviceConvOptions options, bool may_measure);

  struct State;
  class Conv;
  std::shared_ptr<State> state_;
};

}  // namespace convoy
