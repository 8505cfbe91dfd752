#include "tests/device/opencl_layer.h"

#include <dlfcn.h>

#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <optional>

namespace convoy::opencl_layer {
namespace {

struct Watch {
  std::string function;
  int calls_until;
  std::function<void()> work;
};

struct State {
  std::mutex mutex;
  std::optional<Watch> watch;
  std::optional<Fault> fault;
  Report report;
  std::map<std::string, int> held;
  std::set<std::string> functions;
};

// Never destroyed: static objects release OpenCL objects to the very end.
State& state() {
  static State& only = *new State;
  return only;
}

void run_watch(const char* function) {
  State& s = state();
  std::function<void()> work;
  {
    const std::lock_guard lock(s.mutex);
    if (!s.watch || s.watch->function != function || s.watch->calls_until-- != 0) return;
    work = s.watch->work;
  }
  work();
}

// CL_SUCCESS, or what the call is to fail with.
cl_int failure_of(const char* function) {
  run_watch(function);
  State& s = state();
  const std::lock_guard lock(s.mutex);
  if (!s.fault || (!s.fault->function.empty() && s.fault->function != function)) return CL_SUCCESS;
  const int call = s.report.calls++;
  if (call < s.fault->at || (call > s.fault->at && !s.fault->lasting)) return CL_SUCCESS;
  if (s.report.failed++ == 0) s.report.function = function;
  return s.fault->code;
}

void count(const char* kind, int change) {
  State& s = state();
  const std::lock_guard lock(s.mutex);
  if ((s.held[kind] += change) == 0) s.held.erase(kind);
}

bool add(const char* function) {
  return state().functions.insert(function).second;
}

// The loader's function of this name.
template <class Function>
Function next(const char* name) {
  void* const found = ::dlsym(RTLD_NEXT, name);
  if (!found) {
    std::fprintf(stderr, "the OpenCL loader has no %s\n", name);
    std::abort();
  }
  return reinterpret_cast<Function>(found);
}

}  // namespace

void inject(const Fault& fault) {
  State& s = state();
  const std::lock_guard lock(s.mutex);
  s.fault = fault;
  s.report = {};
}

Report end_injection() {
  State& s = state();
  const std::lock_guard lock(s.mutex);
  s.fault.reset();
  return s.report;
}

OnCall::OnCall(std::string function, int at, std::function<void()> work) {
  State& s = state();
  const std::lock_guard lock(s.mutex);
  s.watch = Watch{std::move(function), at, std::move(work)};
}

OnCall::~OnCall() {
  State& s = state();
  const std::lock_guard lock(s.mutex);
  s.watch.reset();
}

std::map<std::string, int> held() {
  State& s = state();
  const std::lock_guard lock(s.mutex);
  return s.held;
}

const std::set<std::string>& functions() {
  return state().functions;
}

}  // namespace convoy::opencl_layer

using convoy::opencl_layer::add;
using convoy::opencl_layer::count;
using convoy::opencl_layer::failure_of;
using convoy::opencl_layer::next;

#define NEXT(name)                                                 \
  [[maybe_unused]] static const bool name##_is_known = add(#name); \
  static const auto name##_of_loader = next<decltype(&name)>(#name)

// Functions that return a status.
#define STATUS(name, parameters, arguments)                 \
  NEXT(name);                                               \
  cl_int CL_API_CALL name parameters {                      \
    if (const cl_int code = failure_of(#name)) return code; \
    return name##_of_loader arguments;                      \
  }
#define WAITING(name, parameters, arguments)         \
  NEXT(name);                                        \
  cl_int CL_API_CALL name parameters {               \
    const cl_int code = name##_of_loader arguments;  \
    const cl_int injected = failure_of(#name);       \
    return injected != CL_SUCCESS ? injected : code; \
  }
// ... and an event in the parameter `event`, where that is no null pointer.
#define ENQUEUING(name, parameters, arguments)              \
  NEXT(name);                                               \
  cl_int CL_API_CALL name parameters {                      \
    if (const cl_int code = failure_of(#name)) return code; \
    const cl_int code = name##_of_loader arguments;         \
    if (code == CL_SUCCESS && event) count("event", 1);     \
    return code;                                            \
  }
#define RELEASING(name, kind, type)               \
  NEXT(name);                                     \
  cl_int CL_API_CALL name(type object) {          \
    const cl_int code = name##_of_loader(object); \
    if (code == CL_SUCCESS) count(kind, -1);      \
    return code;                                  \
  }
// Functions that return an object, and the status through `status`.
#define CREATING(name, kind, type, parameters, arguments) \
  NEXT(name);                                             \
  type CL_API_CALL name parameters {                      \
    if (const cl_int code = failure_of(#name)) {          \
      if (status) *status = code;                         \
      return nullptr;                                     \
    }                                                     \
    const type object = name##_of_loader arguments;       \
    if (object) count(kind, 1);                           \
    return object;                                        \
  }

// clang-format off
STATUS(clGetPlatformIDs, (cl_uint room, cl_platform_id* ids, cl_uint* number), (room, ids, number))
STATUS(clGetPlatformInfo,
       (cl_platform_id platform, cl_platform_info what, size_t size, void* value, size_t* needed),
       (platform, what, size, value, needed))
STATUS(clGetDeviceIDs,
       (cl_platform_id platform, cl_device_type type, cl_uint room, cl_device_id* ids,
        cl_uint* number),
       (platform, type, room, ids, number))
STATUS(clGetDeviceInfo,
       (cl_device_id device, cl_device_info what, size_t size, void* value, size_t* needed),
       (device, what, size, value, needed))
STATUS(clGetCommandQueueInfo,
       (cl_command_queue queue, cl_command_queue_info what, size_t size, void* value,
        size_t* needed),
       (queue, what, size, value, needed))
STATUS(clGetMemObjectInfo,
       (cl_mem buffer, cl_mem_info what, size_t size, void* value, size_t* needed),
       (buffer, what, size, value, needed))
STATUS(clGetProgramInfo,
       (cl_program program, cl_program_info what, size_t size, void* value, size_t* needed),
       (program, what, size, value, needed))
STATUS(clGetProgramBuildInfo,
       (cl_program program, cl_device_id device, cl_program_build_info what, size_t size,
        void* value, size_t* needed),
       (program, device, what, size, value, needed))
STATUS(clGetKernelWorkGroupInfo,
       (cl_kernel kernel, cl_device_id device, cl_kernel_work_group_info what, size_t size,
        void* value, size_t* needed),
       (kernel, device, what, size, value, needed))
STATUS(clGetEventInfo,
       (cl_event event, cl_event_info what, size_t size, void* value, size_t* needed),
       (event, what, size, value, needed))
STATUS(clGetEventProfilingInfo,
       (cl_event event, cl_profiling_info what, size_t size, void* value, size_t* needed),
       (event, what, size, value, needed))

CREATING(clCreateContext, "context", cl_context,
         (const cl_context_properties* properties, cl_uint number, const cl_device_id* devices,
          void(CL_CALLBACK* notify)(const char*, const void*, size_t, void*), void* data,
          cl_int* status),
         (properties, number, devices, notify, data, status))
CREATING(clCreateCommandQueue, "queue", cl_command_queue,
         (cl_context context, cl_device_id device, cl_command_queue_properties properties,
          cl_int* status),
         (context, device, properties, status))
CREATING(clCreateBuffer, "buffer", cl_mem,
         (cl_context context, cl_mem_flags flags, size_t size, void* host, cl_int* status),
         (context, flags, size, host, status))
CREATING(clCreateSubBuffer, "buffer", cl_mem,
         (cl_mem buffer, cl_mem_flags flags, cl_buffer_create_type type, const void* info,
          cl_int* status),
         (buffer, flags, type, info, status))
CREATING(clCreateProgramWithSource, "program", cl_program,
         (cl_context context, cl_uint number, const char** texts, const size_t* lengths,
          cl_int* status),
         (context, number, texts, lengths, status))
CREATING(clCreateProgramWithBinary, "program", cl_program,
         (cl_context context, cl_uint number, const cl_device_id* devices, const size_t* lengths,
          const unsigned char** binaries, cl_int* binary_status, cl_int* status),
         (context, number, devices, lengths, binaries, binary_status, status))
CREATING(clCreateKernel, "kernel", cl_kernel,
         (cl_program program, const char* name, cl_int* status), (program, name, status))

STATUS(clBuildProgram,
       (cl_program program, cl_uint number, const cl_device_id* devices, const char* options,
        void(CL_CALLBACK* notify)(cl_program, void*), void* data),
       (program, number, devices, options, notify, data))
STATUS(clSetKernelArg, (cl_kernel kernel, cl_uint index, size_t size, const void* value),
       (kernel, index, size, value))

ENQUEUING(clEnqueueNDRangeKernel,
          (cl_command_queue queue, cl_kernel kernel, cl_uint dimensions, const size_t* offset,
           const size_t* global, const size_t* local, cl_uint waits, const cl_event* wait_list,
           cl_event* event),
          (queue, kernel, dimensions, offset, global, local, waits, wait_list, event))
ENQUEUING(clEnqueueFillBuffer,
          (cl_command_queue queue, cl_mem buffer, const void* pattern, size_t pattern_size,
           size_t offset, size_t size, cl_uint waits, const cl_event* wait_list, cl_event* event),
          (queue, buffer, pattern, pattern_size, offset, size, waits, wait_list, event))
ENQUEUING(clEnqueueCopyBuffer,
          (cl_command_queue queue, cl_mem from, cl_mem to, size_t from_offset, size_t to_offset,
           size_t size, cl_uint waits, const cl_event* wait_list, cl_event* event),
          (queue, from, to, from_offset, to_offset, size, waits, wait_list, event))
ENQUEUING(clEnqueueReadBuffer,
          (cl_command_queue queue, cl_mem buffer, cl_bool blocking, size_t offset, size_t size,
           void* host, cl_uint waits, const cl_event* wait_list, cl_event* event),
          (queue, buffer, blocking, offset, size, host, waits, wait_list, event))
ENQUEUING(clEnqueueWriteBuffer,
          (cl_command_queue queue, cl_mem buffer, cl_bool blocking, size_t offset, size_t size,
           const void* host, cl_uint waits, const cl_event* wait_list, cl_event* event),
          (queue, buffer, blocking, offset, size, host, waits, wait_list, event))
ENQUEUING(clEnqueueReadBufferRect,
          (cl_command_queue queue, cl_mem buffer, cl_bool blocking, const size_t* origin,
           const size_t* host_origin, const size_t* region, size_t row, size_t slice,
           size_t host_row, size_t host_slice, void* host, cl_uint waits,
           const cl_event* wait_list, cl_event* event),
          (queue, buffer, blocking, origin, host_origin, region, row, slice, host_row, host_slice,
           host, waits, wait_list, event))
ENQUEUING(clEnqueueWriteBufferRect,
          (cl_command_queue queue, cl_mem buffer, cl_bool blocking, const size_t* origin,
           const size_t* host_origin, const size_t* region, size_t row, size_t slice,
           size_t host_row, size_t host_slice, const void* host, cl_uint waits,
           const cl_event* wait_list, cl_event* event),
          (queue, buffer, blocking, origin, host_origin, region, row, slice, host_row, host_slice,
           host, waits, wait_list, event))
ENQUEUING(clEnqueueUnmapMemObject,
          (cl_command_queue queue, cl_mem buffer, void* mapped, cl_uint waits,
           const cl_event* wait_list, cl_event* event),
          (queue, buffer, mapped, waits, wait_list, event))
ENQUEUING(clEnqueueMarkerWithWaitList,
          (cl_command_queue queue, cl_uint waits, const cl_event* wait_list, cl_event* event),
          (queue, waits, wait_list, event))
ENQUEUING(clEnqueueBarrierWithWaitList,
          (cl_command_queue queue, cl_uint waits, const cl_event* wait_list, cl_event* event),
          (queue, waits, wait_list, event))
STATUS(clSetEventCallback,
       (cl_event event, cl_int type, void(CL_CALLBACK* notify)(cl_event, cl_int, void*),
        void* data),
       (event, type, notify, data))
STATUS(clFlush, (cl_command_queue queue), (queue))
WAITING(clFinish, (cl_command_queue queue), (queue))
WAITING(clWaitForEvents, (cl_uint number, const cl_event* events), (number, events))

RELEASING(clReleaseContext, "context", cl_context)
RELEASING(clReleaseCommandQueue, "queue", cl_command_queue)
RELEASING(clReleaseMemObject, "buffer", cl_mem)
RELEASING(clReleaseProgram, "program", cl_program)
RELEASING(clReleaseKernel, "kernel", cl_kernel)
RELEASING(clReleaseEvent, "event", cl_event)
// clang-format on

NEXT(clEnqueueMapBuffer);
void* CL_API_CALL clEnqueueMapBuffer(cl_command_queue queue, cl_mem buffer, cl_bool blocking,
                                     cl_map_flags flags, size_t offset, size_t size, cl_uint waits,
                                     const cl_event* wait_list, cl_event* event, cl_int* status) {
  if (const cl_int code = failure_of("clEnqueueMapBuffer")) {
    if (status) *status = code;
    return nullptr;
  }
  void* const mapped = clEnqueueMapBuffer_of_loader(queue, buffer, blocking, flags, offset, size,
                                                    waits, wait_list, event, status);
  if (mapped && event) count("event", 1);
  return mapped;
}

NEXT(clCreateSubDevices);
cl_int CL_API_CALL clCreateSubDevices(cl_device_id device,
                                      const cl_device_partition_property* properties, cl_uint room,
                                      cl_device_id* devices, cl_uint* number) {
  if (const cl_int code = failure_of("clCreateSubDevices")) return code;
  const cl_int code = clCreateSubDevices_of_loader(device, properties, room, devices, number);
  if (code == CL_SUCCESS && devices) count("sub-device", static_cast<int>(room));
  return code;
}
RELEASING(clReleaseDevice, "sub-device", cl_device_id)
