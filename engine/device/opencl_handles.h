// OpenCL objects with owners, and OpenCL status codes as exceptions.
#pragma once

#ifndef CL_TARGET_OPENCL_VERSION
#define CL_TARGET_OPENCL_VERSION 120
#endif
#include <CL/cl.h>

#include <string>
#include <utility>

#include "engine/base/error.h"

namespace convoy {

// Owns one reference to an OpenCL object. Movable, not copyable.
template <class Handle, cl_int(CL_API_CALL* Release)(Handle)>
class ClHandle {
 public:
  ClHandle() = default;
  explicit ClHandle(Handle handle) : handle_(handle) {}
  ClHandle(ClHandle&& other) noexcept : handle_(std::exchange(other.handle_, nullptr)) {}
  ClHandle& operator=(ClHandle&& other) noexcept {
    if (this != &other) {
      reset();
      handle_ = std::exchange(other.handle_, nullptr);
    }
    return *this;
  }
  ~ClHandle() { reset(); }

  void reset() {
    if (handle_) Release(std::exchange(handle_, nullptr));
  }
  Handle get() const { return handle_; }
  explicit operator bool() const { return handle_ != nullptr; }

 private:
  Handle handle_ = nullptr;
};

using ClContext = ClHandle<cl_context, clReleaseContext>;
using ClQueue = ClHandle<cl_command_queue, clReleaseCommandQueue>;
using ClProgram = ClHandle<cl_program, clReleaseProgram>;
using ClKernel = ClHandle<cl_kernel, clReleaseKernel>;
using ClBuffer = ClHandle<cl_mem, clReleaseMemObject>;
using ClEvent = ClHandle<cl_event, clReleaseEvent>;

// The device, or the host for it, has no memory left for an object. Smaller pieces may still fit.
class OutOfDeviceMemory : public Error {
 public:
  using Error::Error;
};

// The device does not answer: it is lost, or somebody else has it. Says nothing about what it was
// asked to do.
class DeviceUnavailable : public Error {
 public:
  using Error::Error;
};

// "CL_INVALID_VALUE"; "OpenCL error -9999" for a code that OpenCL 1.2 does not define.
std::string cl_error_name(cl_int code);

// Throws Error(kDevice), or OutOfDeviceMemory or DeviceUnavailable where that is what `code` means,
// with `where` (a device id), the name of the API function and of the code. CL_SUCCESS does
// nothing.
void cl_check(cl_int code, const char* api, const std::string& where);

// A string property of a platform or a device: cl_text(clGetDeviceInfo, device, CL_DEVICE_NAME,
// ..).
template <class Query, class Object, class Name>
std::string cl_text(Query query, Object object, Name name, const char* api,
                    const std::string& where) {
  std::size_t size = 0;
  cl_check(query(object, name, 0, nullptr, &size), api, where);
  std::string text(size, '\0');
  if (size > 0) cl_check(query(object, name, size, text.data(), nullptr), api, where);
  while (!text.empty() && (text.back() == '\0' || text.back() == ' ')) text.pop_back();
  return text;
}

// A property of fixed size: cl_value<cl_uint>(device, CL_DEVICE_MAX_COMPUTE_UNITS, where).
template <class Value>
Value cl_value(cl_device_id device, cl_device_info name, const std::string& where) {
  Value value{};
  cl_check(clGetDeviceInfo(device, name, sizeof value, &value, nullptr), "clGetDeviceInfo", where);
  return value;
}

}  // namespace convoy
