// Starting kernels and keeping device buffers.
#pragma once

#include <array>
#include <initializer_list>

#include "engine/device/opencl_runtime.h"

namespace convoy {

// The work-group on a CPU of a kernel to whose items it does not matter. A CPU's driver compiles a
// kernel anew for every shape of group that it meets, PoCL 3 for a tenth of a second each (and for
// a single item it chooses a shape of its own): so there are few shapes, along one dimension, the
// first one last, as an item is a whole vector along it.
inline std::array<std::size_t, 3> cpu_work_group(std::initializer_list<std::size_t> global) {
  std::array<std::size_t, 3> group = {1, 1, 1};
  for (const std::size_t items : {16, 8, 4, 2, 3, 5, 7, 11, 13})
    for (const std::size_t dimension : {1, 2, 0})
      if (dimension < global.size() && global.begin()[dimension] % items == 0) {
        group[dimension] = items;
        return group;
      }
  return group;
}

// Sets all arguments, from the first on, and enqueues. `local` may be empty: the work-group is then
// cpu_work_group(), or a GPU's driver chooses it. The arguments' types must be those of the kernel
// (cl_int, cl_ulong, cl_mem).
template <class... Arguments>
void launch(const OpenClContext& context, cl_command_queue queue, const ClKernel& kernel,
            std::initializer_list<std::size_t> global, std::initializer_list<std::size_t> local,
            const Arguments&... arguments) {
  cl_uint index = 0;
  (cl_check(clSetKernelArg(kernel.get(), index++, sizeof arguments, &arguments), "clSetKernelArg",
            context.id()),
   ...);
  const std::array<std::size_t, 3> on_cpu = cpu_work_group(global);
  const bool is_cpu = context.entry().info.kind == DeviceKind::kCpu;
  const std::size_t* const group = local.size() ? local.begin() : is_cpu ? on_cpu.data() : nullptr;
  cl_check(clEnqueueNDRangeKernel(queue, kernel.get(), static_cast<cl_uint>(global.size()), nullptr,
                                  global.begin(), group, 0, nullptr, nullptr),
           "clEnqueueNDRangeKernel", context.id());
}

// A buffer that grows when more is asked of it; its contents are then lost.
class GrowingBuffer {
 public:
  cl_mem reserve(const OpenClContext& context, std::size_t bytes) {
    if (bytes > bytes_) {
      release();
      buffer_ = context.make_buffer(bytes);
      bytes_ = bytes;
    }
    return buffer_.get();
  }
  void release() {
    buffer_.reset();
    bytes_ = 0;
  }
  std::size_t bytes() const { return bytes_; }
  cl_mem get() const { return buffer_.get(); }

 private:
  ClBuffer buffer_;
  std::size_t bytes_ = 0;
};

}  // namespace convoy
