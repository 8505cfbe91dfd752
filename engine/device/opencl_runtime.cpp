#include "engine/device/opencl_runtime.h"

#include <algorithm>
#include <utility>

#include "engine/device/discovery.h"
#include "engine/device/opencl_sources.h"
#include "engine/device/opencl_staging.h"

namespace convoy {
namespace {

constexpr cl_int kPlatformNotFound = -1001;  // CL_PLATFORM_NOT_FOUND_KHR

DeviceKind kind_of(cl_device_type type) {
  if (type & CL_DEVICE_TYPE_GPU) return DeviceKind::kGpu;
  if (type & CL_DEVICE_TYPE_CPU) return DeviceKind::kCpu;
  return DeviceKind::kAccelerator;
}

// "OpenCL 3.0 PoCL HSTR: ..." to "OpenCL 3.0": the standard fixes the first two words.
std::string short_version(const std::string& version) {
  const std::size_t end = version.find(' ', version.find(' ') + 1);
  return version.substr(0, end);
}

OpenClDeviceEntry describe(cl_platform_id platform, cl_device_id device, const std::string& id) {
  OpenClDeviceEntry entry;
  entry.platform = platform;
  entry.device = device;
  const auto device_text = [&](cl_device_info name) {
    return cl_text(clGetDeviceInfo, device, name, "clGetDeviceInfo", id);
  };
  const auto platform_text = [&](cl_platform_info name) {
    return cl_text(clGetPlatformInfo, platform, name, "clGetPlatformInfo", id);
  };
  if (!cl_value<cl_bool>(device, CL_DEVICE_AVAILABLE, id))
    throw Error(ErrorKind::kDevice, id, "the device is not available");
  if (!cl_value<cl_bool>(device, CL_DEVICE_COMPILER_AVAILABLE, id))
    throw Error(ErrorKind::kDevice, id, "the device has no compiler for OpenCL C");

  DeviceInfo& info = entry.info;
  info.id = id;
  info.name = device_text(CL_DEVICE_NAME);
  info.kind = kind_of(cl_value<cl_device_type>(device, CL_DEVICE_TYPE, id));
  const std::string platform_name = platform_text(CL_PLATFORM_NAME);
  const std::string version = device_text(CL_DEVICE_VERSION);
  info.backend = short_version(version) + " (" + platform_name + ")";
  info.driver = device_text(CL_DRIVER_VERSION);
  entry.fingerprint = platform_name + "\n" + platform_text(CL_PLATFORM_VERSION) + "\n" +
                      device_text(CL_DEVICE_VENDOR) + "\n" + info.name + "\n" + version + "\n" +
                      info.driver;
  info.compute_units = static_cast<int>(cl_value<cl_uint>(device, CL_DEVICE_MAX_COMPUTE_UNITS, id));
  info.memory_bytes = cl_value<cl_ulong>(device, CL_DEVICE_GLOBAL_MEM_SIZE, id);
  if (info.kind == DeviceKind::kCpu) info.cores = available_cores();

  entry.max_allocation = cl_value<cl_ulong>(device, CL_DEVICE_MAX_MEM_ALLOC_SIZE, id);
  entry.local_memory = cl_value<cl_ulong>(device, CL_DEVICE_LOCAL_MEM_SIZE, id);
  entry.max_work_group = cl_value<std::size_t>(device, CL_DEVICE_MAX_WORK_GROUP_SIZE, id);
  entry.vector_width =
      static_cast<int>(cl_value<cl_uint>(device, CL_DEVICE_NATIVE_VECTOR_WIDTH_FLOAT, id));
  entry.clock_mhz = static_cast<int>(cl_value<cl_uint>(device, CL_DEVICE_MAX_CLOCK_FREQUENCY, id));
  entry.unified_memory = cl_value<cl_bool>(device, CL_DEVICE_HOST_UNIFIED_MEMORY, id);
  return entry;
}

std::vector<cl_platform_id> platforms() {
  cl_uint count = 0;
  const cl_int code = clGetPlatformIDs(0, nullptr, &count);
  if (code == kPlatformNotFound) return {};
  cl_check(code, "clGetPlatformIDs", "OpenCL");
  if (count == 0) return {};
  std::vector<cl_platform_id> ids(count);
  cl_check(clGetPlatformIDs(count, ids.data(), nullptr), "clGetPlatformIDs", "OpenCL");
  return ids;
}

std::vector<cl_device_id> devices_of(cl_platform_id platform, const std::string& where) {
  cl_uint count = 0;
  const cl_int code = clGetDeviceIDs(platform, CL_DEVICE_TYPE_ALL, 0, nullptr, &count);
  if (code == CL_DEVICE_NOT_FOUND || (code == CL_SUCCESS && count == 0)) return {};
  cl_check(code, "clGetDeviceIDs", where);
  std::vector<cl_device_id> ids(count);
  cl_check(clGetDeviceIDs(platform, CL_DEVICE_TYPE_ALL, count, ids.data(), nullptr),
           "clGetDeviceIDs", where);
  return ids;
}

}  // namespace

std::vector<OpenClDeviceEntry> enumerate_opencl_devices(std::vector<std::string>* messages) {
  // The first call loads and starts every vendor's library, which not all of them guard.
  static std::mutex mutex;
  const std::lock_guard lock(mutex);
  const auto report = [&](const Error& error) {
    if (messages) messages->push_back(error.what());
  };

  std::vector<cl_platform_id> found;
  try {
    found = platforms();
  } catch (const Error& error) {
    report(error);
  }
  std::vector<OpenClDeviceEntry> entries;
  for (std::size_t p = 0; p < found.size(); ++p) {
    const std::string where = "OpenCL platform " + std::to_string(p);
    try {
      const auto devices = devices_of(found[p], where);
      for (std::size_t d = 0; d < devices.size(); ++d) {
        const std::string id = "opencl:" + std::to_string(p) + ":" + std::to_string(d);
        try {
          entries.push_back(describe(found[p], devices[d], id));
        } catch (const Error& error) {
          report(error);
        }
      }
    } catch (const Error& error) {
      report(error);
    }
  }
  return entries;
}

OpenClContext::OpenClContext(OpenClDeviceEntry entry) : entry_(std::move(entry)) {
  const cl_context_properties properties[] = {
      CL_CONTEXT_PLATFORM, reinterpret_cast<cl_context_properties>(entry_.platform), 0};
  cl_int code = CL_SUCCESS;
  context_ = ClContext(clCreateContext(properties, 1, &entry_.device, nullptr, nullptr, &code));
  cl_check(code, "clCreateContext", id());
}

OpenClContext::~OpenClContext() = default;

ClQueue OpenClContext::make_queue() const {
  cl_int code = CL_SUCCESS;
  ClQueue queue(clCreateCommandQueue(context_.get(), entry_.device, 0, &code));
  cl_check(code, "clCreateCommandQueue", id());
  return queue;
}

ClKernel OpenClContext::make_kernel(const std::string& file, const std::string& options,
                                    const char* kernel) {
  const std::lock_guard lock(programs_mutex_);
  const std::string key = file + " " + options;
  auto known = programs_.find(key);
  if (known == programs_.end()) {
    const ProgramRequest request{context_.get(), entry_.device,       id(),   entry_.fingerprint,
                                 file,           opencl_source(file), options};
    Program program{build_program(request, ProgramCache(program_cache_folder())), file,
                    program_key(request)};
    known = programs_.emplace(key, std::move(program)).first;
  }
  cl_int code = CL_SUCCESS;
  ClKernel made(clCreateKernel(known->second.built.program.get(), kernel, &code));
  cl_check(code, "clCreateKernel", id());
  return made;
}

bool OpenClContext::distrust_programs(const std::string& file) {
  const std::lock_guard lock(programs_mutex_);
  const ProgramCache cache(program_cache_folder());
  bool from_cache = false;
  for (auto known = programs_.begin(); known != programs_.end();) {
    if (known->second.file != file) {
      ++known;
      continue;
    }
    from_cache |= known->second.built.from_cache;
    cache.remove(known->second.key);
    known = programs_.erase(known);
  }
  return from_cache;
}

void OpenClContext::replace(OpenClContext& lost) {
  {
    // A check may hang there for good; then all is checked again.
    const std::unique_lock lock(lost.check_mutex_, std::try_to_lock);
    if (lock.owns_lock()) checked_products_ = lost.checked_products_;
  }
  const std::unique_lock lock(lost.programs_mutex_, std::try_to_lock);
  if (lock.owns_lock()) lost.programs_.clear();
}

ClBuffer OpenClContext::make_buffer(std::size_t bytes) const {
  cl_int code = CL_SUCCESS;
  ClBuffer buffer(clCreateBuffer(context_.get(), CL_MEM_READ_WRITE, bytes, nullptr, &code));
  cl_check(code, "clCreateBuffer", id());
  return buffer;
}

ClBuffer OpenClContext::wrap_host(void* memory, std::size_t bytes) const {
  cl_int code = CL_SUCCESS;
  ClBuffer buffer(clCreateBuffer(context_.get(), CL_MEM_READ_WRITE | CL_MEM_USE_HOST_PTR, bytes,
                                 memory, &code));
  cl_check(code, "clCreateBuffer", id());
  return buffer;
}

ClBuffer OpenClContext::make_pinned_buffer(std::size_t bytes) const {
  cl_int code = CL_SUCCESS;
  ClBuffer buffer(clCreateBuffer(context_.get(), CL_MEM_READ_WRITE | CL_MEM_ALLOC_HOST_PTR, bytes,
                                 nullptr, &code));
  cl_check(code, "clCreateBuffer", id());
  return buffer;
}

std::unique_ptr<OpenClStaging> OpenClContext::lend_staging(std::size_t slot_bytes) {
  {
    const std::lock_guard lock(staging_mutex_);
    const auto found = std::ranges::find_if(
        staging_, [&](const auto& staging) { return staging->slot_bytes() == slot_bytes; });
    if (found != staging_.end()) {
      auto lent = std::move(*found);
      staging_.erase(found);
      return lent;
    }
  }
  return std::make_unique<OpenClStaging>(*this, slot_bytes);
}

void OpenClContext::take_back(std::unique_ptr<OpenClStaging> staging) {
  const std::lock_guard lock(staging_mutex_);
  staging_.push_back(std::move(staging));
}

std::shared_ptr<OpenClContext> shared_opencl_context(const OpenClDeviceEntry& entry) {
  // Never destroyed: at exit the vendors' libraries may be gone before our static objects.
  static auto& contexts = *new std::map<cl_device_id, std::shared_ptr<OpenClContext>>;
  static auto& lost = *new std::vector<std::shared_ptr<OpenClContext>>;
  static std::mutex mutex;
  const std::lock_guard lock(mutex);
  auto& context = contexts[entry.device];
  if (!context) {
    context = std::make_shared<OpenClContext>(entry);
  } else if (context->is_lost()) {
    auto renewed = std::make_shared<OpenClContext>(entry);
    renewed->replace(*context);
    lost.push_back(std::exchange(context, std::move(renewed)));
  }
  return context;
}

}  // namespace convoy
