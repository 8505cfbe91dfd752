// The OpenCL devices of this machine, and one shared context for each that is in use.
#pragma once

#include <atomic>
#include <cstddef>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "engine/device/device.h"
#include "engine/device/opencl_handles.h"
#include "engine/device/opencl_programs.h"

namespace convoy {

// A device and what the engine asks of it. Sizes in bytes.
struct OpenClDeviceEntry {
  cl_platform_id platform = nullptr;
  cl_device_id device = nullptr;
  DeviceInfo info;
  std::string
      fingerprint;  // platform, device and driver with their versions: for what programs are
  std::size_t max_allocation = 0;  // of one buffer
  std::size_t local_memory = 0;    // of one work-group
  std::size_t max_work_group = 1;  // work items
  int vector_width = 1;            // floats in a native vector
  int clock_mhz = 0;               // 0 when unknown
  bool unified_memory = false;     // the device's memory is the host's
};

// Every device of every platform, in the loader's order. No loader or no platform is an empty list.
// A platform or device that fails to answer, or cannot compile, is left out, and the reason is
// appended to `messages` when given. Any thread may call it.
std::vector<OpenClDeviceEntry> enumerate_opencl_devices(std::vector<std::string>* messages);

class OpenClStaging;

// A device's context with the programs built for it. All members may be used from any thread.
class OpenClContext {
 public:
  // Throws Error(kDevice).
  explicit OpenClContext(OpenClDeviceEntry entry);
  ~OpenClContext();

  const OpenClDeviceEntry& entry() const { return entry_; }
  const std::string& id() const { return entry_.info.id; }
  cl_context get() const { return context_.get(); }

  // A new in-order command queue.
  ClQueue make_queue() const;
  // A new kernel object (they keep their arguments, so each thread needs its own) out of an
  // embedded source file, which is built the first time with these options (opencl_programs.h).
  // Throws Error(kDevice) with the compiler's log when that fails.
  ClKernel make_kernel(const std::string& file, const std::string& options, const char* kernel);
  // What programs of this source compute has proved wrong: none of them is made into a kernel
  // again, in this process or, from the user's cache, in another. Whether compiling them anew may
  // help: at least one had come out of the cache.
  bool distrust_programs(const std::string& file);
  // Room for `bytes`; throws OutOfDeviceMemory or Error(kDevice).
  ClBuffer make_buffer(std::size_t bytes) const;
  // A buffer in the host's own memory, which must outlive it; for devices that compute in it.
  ClBuffer wrap_host(void* memory, std::size_t bytes) const;
  // Memory of the host that the device's copy engines reach; to be mapped.
  ClBuffer make_pinned_buffer(std::size_t bytes) const;

  // Pinned memory is dear: it is made when it is first needed, serves one pass after another, and
  // as many at a time as run at the same time. What has failed is not to be given back.
  std::unique_ptr<OpenClStaging> lend_staging(std::size_t slot_bytes);
  void take_back(std::unique_ptr<OpenClStaging> staging);

  // A pass has failed for good. Nothing that is in the context is sure to work again, even if the
  // device does: what comes next is to have another, see shared_opencl_context().
  void set_lost(bool lost = true) { is_lost_ = lost; }
  bool is_lost() const { return is_lost_; }
  // Begins in the place of a lost context of the same device: knows what has been checked, and
  // takes the room of its programs.
  void replace(OpenClContext& lost);

  // What check_product() (opencl_gemm.h) found, by the product's name; remembered because the
  // first use of a product compiles it. Guarded by check_mutex().
  std::map<std::string, std::string>& checked_products() { return checked_products_; }
  std::mutex& check_mutex() { return check_mutex_; }

 private:
  OpenClDeviceEntry entry_;
  ClContext context_;
  std::mutex programs_mutex_;
  struct Program {
    BuiltProgram built;
    std::string file;
    ProgramKey key;
  };
  std::map<std::string, Program> programs_;  // by file and options
  std::atomic<bool> is_lost_ = false;
  std::mutex check_mutex_;
  std::map<std::string, std::string> checked_products_;
  std::mutex staging_mutex_;
  std::vector<std::unique_ptr<OpenClStaging>> staging_;  // that nobody uses
};

// The one context of this device in this process, a new one after it was lost. Contexts live as
// long as the program, so that opening a device again compiles nothing, and because libraries cache
// programs by the context's address. Throws Error(kDevice).
std::shared_ptr<OpenClContext> shared_opencl_context(const OpenClDeviceEntry& entry);

}  // namespace convoy
