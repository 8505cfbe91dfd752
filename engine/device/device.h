// A compute device: what it is, and convolution of a range of kernels on it, all three passes.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "engine/base/stop_token.h"
#include "engine/base/thread_pool.h"
#include "engine/conv/conv_phases.h"
#include "engine/conv/conv_problem.h"
#include "engine/conv/range.h"

namespace convoy {

enum class DeviceKind { kCpu, kGpu, kAccelerator };
const char* device_kind_name(DeviceKind kind);  // "CPU", "GPU", "accelerator"

struct DeviceInfo {
  std::string id;    // "cpu", "cpu:0-3", "opencl:0:0", "opencl:0:0:0-1"
  std::string name;  // "AMD EPYC 9654", as the system calls it
  DeviceKind kind = DeviceKind::kCpu;
  std::string backend;  // "OpenBLAS 0.3.21", "OpenCL 1.2 (Portable Computing Language)"
  std::string driver;
  int compute_units = 0;  // cores, or OpenCL compute units
  std::uint64_t memory_bytes = 0;
  std::vector<int> cores;  // the machine's cores that it computes on; empty for a GPU
  // Of an opened device: what it cannot do as it should, with the whole reason. To be told once.
  std::vector<std::string> warnings;
};

// Why a pass uses the algorithm that it uses.
enum class ChosenBy {
  kNecessity,    // there was no other that is worth a trial
  kName,         // it was asked for
  kEstimate,     // the least estimated time
  kMeasurement,  // just measured, it was the fastest
  kMemory        // it was measured before, for this problem or one that is nearly the same
};
// "necessity", "name", "estimate", "measurement", "memory"
const char* chosen_by_name(ChosenBy chosen_by);

// One layer's share on one device: `problem().out_channels` kernels. Used by one thread at a time.
// Errors: Error(kDevice) that names the device; Interrupted when stopped.
class DeviceConv {
 public:
  virtual ~DeviceConv() = default;
  virtual const ConvProblem& problem() const = 0;
  // Host memory in the shapes of ConvProblem. It must stay valid and unchanged until the operand is
  // set again; the device may copy or transform it once and use that in every pass that reads it.
  virtual void set_operand(Operand operand, const float* host) = 0;
  // Computes one pass from the operands that it reads and writes the result to host memory. Returns
  // when the result is there.
  virtual void run(Pass pass, float* result, const StopToken* stop) = 0;
  // Whether run_part() is offered.
  virtual bool works_in_parts() const { return false; }
  // Forward or backward-data of some of the batch's pictures: reads and writes only theirs, in
  // arrays of the whole batch. To be called for ranges that adjoin and begin on multiples of 16,
  // from the first picture to the last; then all has been done that run() would have done.
  virtual void run_part(Pass pass, Range pictures, float* result, const StopToken* stop) {
    static_cast<void>(pictures), static_cast<void>(result), static_cast<void>(stop);
    throw Error(ErrorKind::kDevice, algorithm(pass), "does not work in parts");
  }
  // Whether it does bias, ReLU and 2x2 pooling itself, by the rules of engine/tensor/elementwise.h;
  // only where DeviceConvOptions::pooling asks for it. Then the output, and kGradOutput, are those
  // of the pooled maps, [out_channels][out_height / 2][out_width / 2][batch], and what is set below
  // is host memory, a float for each kernel, that must stay valid until the passes are done.
  virtual bool pools() const { return false; }
  // What forward adds. With `training` it keeps what the backward passes need; the gradient of its
  // output is then to be set after it.
  virtual void set_bias(const float* bias, bool training) {
    static_cast<void>(bias), static_cast<void>(training);
    throw Error(ErrorKind::kDevice, algorithm(Pass::kForward), "does not pool");
  }
  // Where backward-weights also writes the bias' gradient, which is summed in the same order every
  // time.
  virtual void set_grad_bias(float* grad_bias) {
    static_cast<void>(grad_bias);
    throw Error(ErrorKind::kDevice, algorithm(Pass::kBackwardWeights), "does not pool");
  }
  // The algorithm that a pass uses, for reports: "gemm".
  virtual std::string algorithm(Pass pass) const = 0;
  virtual ChosenBy chosen_by(Pass pass) const = 0;
  virtual double executed_flops(Pass pass) const = 0;
  // Of the last run of a pass; all 0 where its algorithm does not work in phases.
  virtual ConvPhases phases(Pass) const { return {}; }
  // Memory held beside the operands, on the host or the device.
  virtual std::size_t scratch_bytes() const = 0;
};

struct DeviceConvOptions {
  std::string algorithm;          // by name, for every pass; empty lets the device choose
  std::size_t scratch_limit = 0;  // bytes; 0 is a quarter of the device's memory
  // By name for single passes, in the order of kAllPasses; where empty, `algorithm` counts.
  std::array<std::string, 3> algorithms = {};
  // Where estimates leave several algorithms for a pass and no measurement is remembered: times
  // them, on the device's own cores, which takes several runs of the pass. Otherwise the device
  // takes what is remembered, else what it estimates.
  bool measure = false;
  // Whether run_part() will be used: what makes it efficient is kept, should it take more memory.
  bool in_parts = false;
  bool needs_grad_input = true;     // false: backward-data is never run, nor measured
  bool pooling = false;             // bias, ReLU and pooling follow: see DeviceConv::pools()
  const StopToken* stop = nullptr;  // ends the measurement with Interrupted
};

class Device {
 public:
  virtual ~Device() = default;
  virtual const DeviceInfo& info() const = 0;
  // Throws Error(kDevice) when the device cannot do this problem, with the reason.
  virtual std::unique_ptr<DeviceConv> make_conv(const ConvProblem& problem,
                                                const DeviceConvOptions& options = {}) = 0;
  // Bytes of the computer's main memory that convolutions of all these layers would take beside
  // their operands, planned without measuring. Throws as make_conv() does.
  virtual std::size_t planned_scratch(const std::vector<ConvProblem>& layers,
                                      const DeviceConvOptions& options = {}) = 0;
  // A CPU device's own pinned threads; null for others.
  virtual ThreadPool* host_pool() { return nullptr; }
  // Work beside the convolutions on the device's computer: calls work(i) for every i in [0, count),
  // on a CPU device's own threads, else in the calling thread. Takes as much longer as the device
  // is slowed. Throws Interrupted when stopped.
  virtual void for_each(std::size_t count, const std::function<void(std::size_t)>& work,
                        const StopToken* stop);
};

}  // namespace convoy
