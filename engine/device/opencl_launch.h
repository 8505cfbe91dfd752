// Starting kernels and keeping device buffers.
#pragma once

#include <initializer_list>

#include "engine/device/opencl_runtime.h"

namespace convoy {

// Sets all arguments, from the first on, and enqueues. `local` may be empty: the driver then
// chooses the work-group. The arguments' types must be those of the kernel (cl_int, cl_ulong,
// cl_mem).
template <class... Arguments>
void launch(const OpenClContext& context, cl_command_queue queue, const ClKernel& kernel,
            std::initializer_list<std::size_t> global, std::initializer_list<std::size_t> local,
            const Arguments&... arguments) {
  cl_uint index = 0;
  (cl_check(clSetKernelArg(kernel.get(), index++, sizeof arguments, &arguments), "clSetKernelArg",
            context.id()),
   ...);
  cl_check(clEnqueueNDRangeKernel(queue, kernel.get(), static_cast<cl_uint>(global.size()), nullptr,
                                  global.begin(), local.size() ? local.begin() : nullptr, 0,
                                  nullptr, nullptr),
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
