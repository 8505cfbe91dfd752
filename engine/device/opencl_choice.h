// Which algorithm an OpenCL device uses for a layer: im2col or transforms, and whose products.
//
// As on a CPU (algorithm_choice.h) estimates shorten the list for each pass, a measurement decides,
// and the winners are remembered; but as passes with the same algorithm share what lies on the
// device, it is whole steps that compete (mix_choice.h). Unmeasured, passes are not mixed
// unless they must be. Of products a GPU tries CLBlast's and its own; on a CPU one kind of kernel
// is always the fastest.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "engine/device/conv_choices.h"
#include "engine/device/device.h"
#include "engine/device/opencl_plan.h"
#include "engine/device/opencl_runtime.h"

namespace convoy {

// "im2col+vector", "fft+vector", ...: every name, those that suit the kind of device best first.
// Without "+" and what follows, a name leaves the product to the device.
std::vector<std::string> opencl_algorithm_names(DeviceKind kind);

// The layer with the algorithms that `options` name, or else the best that pass their check. Throws
// Error(kUsage) on an unknown name, Error(kDevice) where the named one, or any, does not work, and
// what a measurement throws.
std::unique_ptr<DeviceConv> make_opencl_conv(const std::shared_ptr<OpenClContext>& context,
                                             const DeviceInfo& device, const ConvProblem& problem,
                                             const OpenClLimits& limits,
                                             const DeviceConvOptions& options,
                                             ConvChoices& remembered);

}  // namespace convoy
