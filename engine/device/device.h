// A compute device: what it is, and convolution of a range of kernels on it, all three passes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "engine/base/stop_token.h"
#include "engine/base/thread_pool.h"
#include "engine/conv/conv_problem.h"

namespace convoy {

enum class DeviceKind { kCpu, kGpu, kAccelerator };
const char* device_kind_name(DeviceKind kind);  // "CPU", "GPU", "accelerator"

struct DeviceInfo {
  std::string id;    // "cpu", "cpu:0-3", "opencl:0:0"
  std::string name;  // "AMD EPYC 9654", as the system calls it
  DeviceKind kind = DeviceKind::kCpu;
  std::string backend;  // "OpenBLAS 0.3.21", "OpenCL 1.2 (Portable Computing Language)"
  std::string driver;
  int compute_units = 0;  // cores, or OpenCL compute units
  std::uint64_t memory_bytes = 0;
  std::vector<int> cores;  // the machine's cores that it computes on; empty for a GPU
};

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
  // The algorithm that a pass uses, for reports: "gemm".
  virtual std::string algorithm(Pass pass) const = 0;
  virtual double executed_flops(Pass pass) const = 0;
  // Memory held beside the operands, on the host or the device.
  virtual std::size_t scratch_bytes() const = 0;
};

struct DeviceConvOptions {
  std::string algorithm;          // by name; empty lets the device choose
  std::size_t scratch_limit = 0;  // bytes; 0 is a quarter of the device's memory
};

class Device {
 public:
  virtual ~Device() = default;
  virtual const DeviceInfo& info() const = 0;
  // Throws Error(kDevice) when the device cannot do this problem, with the reason.
  virtual std::unique_ptr<DeviceConv> make_conv(const ConvProblem& problem,
                                                const DeviceConvOptions& options = {}) = 0;
  // A CPU device's own pinned threads; null for others.
  virtual ThreadPool* host_pool() { return nullptr; }
};

}  // namespace convoy
