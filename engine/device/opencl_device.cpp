#include "engine/device/opencl_device.h"

#include <algorithm>
#include <mutex>

#include "engine/device/opencl_choice.h"
#include "engine/device/opencl_gemm.h"
#include "engine/device/opencl_pooling.h"
#include "engine/device/opencl_staging.h"
#include "engine/device/opencl_sub_device.h"

namespace convoy {
namespace {

std::string joined(const std::vector<std::string>& parts) {
  std::string text;
  for (const std::string& part : parts) text += (text.empty() ? "" : ", ") + part;
  return text;
}

// Long enough that a copy engine is busy beside it, short enough that the device has something to
// compute soon.
constexpr std::size_t kStagingBytes = std::size_t{2} << 20;

class OpenClDevice : public Device {
 public:
  explicit OpenClDevice(const OpenClDeviceEntry& entry)
      : entry_(entry), context_(shared_opencl_context(entry)), info_(entry.info) {
    std::vector<std::string> left_out;
    const std::string product = first_sound_product(
        product_names(info_.kind),
        [&](const std::string& name) { return checked_product(name, *context_); }, &left_out);
    if (product.empty())
      throw Error(ErrorKind::kDevice, info_.id,
                  "no matrix product works on this device: " + joined(left_out));
    for (const std::string& failed : left_out)
      info_.warnings.push_back("the matrix product " + failed + " does not work on this device; " +
                               product + " is used instead");
    const std::string of_pooling = checked_pooling(context_);
    if (!of_pooling.empty())
      info_.warnings.push_back("bias, ReLU and pooling do not work on this device (" + of_pooling +
                               "); its computer does them instead");
  }

  const DeviceInfo& info() const override { return info_; }

  std::unique_ptr<DeviceConv> make_conv(const ConvProblem& problem,
                                        const DeviceConvOptions& options) override {
    problem.validate();
    return make_opencl_conv(working_context(), info_, problem, limits_for(options), options,
                            shared_conv_choices());
  }

  std::size_t planned_scratch(const std::vector<ConvProblem>& layers,
                              const DeviceConvOptions& options) override {
    std::size_t sum = entry_.unified_memory ? 0 : OpenClStaging::pinned_bytes(kStagingBytes);
    if (info_.kind != DeviceKind::kCpu) return sum;  // a GPU's own is in its own memory
    DeviceConvOptions planned = options;
    planned.measure = false;
    for (const ConvProblem& layer : layers) sum += make_conv(layer, planned)->scratch_bytes();
    return sum;
  }

 private:
  // After the device was lost, a new one: it has been let in again.
  std::shared_ptr<OpenClContext> working_context() {
    const std::lock_guard lock(context_mutex_);
    if (context_->is_lost()) context_ = shared_opencl_context(entry_);
    return context_;
  }

  OpenClLimits limits_for(const DeviceConvOptions& options) const {
    const OpenClDeviceEntry& entry = entry_;
    const bool is_cpu = info_.kind == DeviceKind::kCpu;
    OpenClLimits limits;
    limits.total = options.scratch_limit > 0 ? options.scratch_limit : info_.memory_bytes / 4;
    limits.one_buffer = entry.max_allocation;
    // About 50 ms of what the device could do at most, taken as 64 operations a cycle of each unit.
    const double clock_hz = (entry.clock_mhz > 0 ? entry.clock_mhz : 1000) * 1e6;
    limits.piece_flops = 0.05 * 64.0 * clock_hz * info_.compute_units;
    // On a CPU a panel of as many lines, 64 floats wide, is to stay in a core's second-level cache.
    limits.piece_columns = is_cpu ? 4096 : 1 << 20;
    limits.in_parts = options.in_parts;
    limits.in_place = entry.unified_memory;
    limits.staging = entry.unified_memory ? 0 : kStagingBytes;
    return limits;
  }

  const OpenClDeviceEntry entry_;
  std::mutex context_mutex_;
  std::shared_ptr<OpenClContext> context_;
  DeviceInfo info_;
};

}  // namespace

std::vector<DeviceInfo> list_opencl_devices(std::vector<std::string>* messages) {
  std::vector<DeviceInfo> infos;
  for (const OpenClDeviceEntry& entry : enumerate_opencl_devices(messages))
    infos.push_back(entry.info);
  return infos;
}

std::unique_ptr<Device> open_opencl_device(const std::string& id) {
  std::vector<std::string> messages, ids;
  for (const OpenClDeviceEntry& entry : enumerate_opencl_devices(&messages)) {
    if (entry.info.id == id) return std::make_unique<OpenClDevice>(entry);
    if (id.starts_with(entry.info.id + ":"))
      return std::make_unique<OpenClDevice>(
          opencl_sub_device(entry, id.substr(entry.info.id.size() + 1)));
    ids.push_back(entry.info.id);
  }
  std::string what =
      "there is no such OpenCL device; " +
      (ids.empty() ? std::string("this machine has none") : "there are " + joined(ids));
  for (const std::string& message : messages) what += "; " + message;
  throw Error(ErrorKind::kDevice, id.empty() ? "device" : id, what);
}

}  // namespace convoy
