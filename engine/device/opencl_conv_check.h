// Whether a convolution is right on an OpenCL device: a small one, against sums on the host.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "engine/device/opencl_conv.h"

namespace convoy {

// Runs all passes with small whole numbers, of which sums are exact. Empty when all is right, else
// what is wrong. `tolerance`: what rounding may leave of the results' norm, 0 for nothing.
std::string wrong_pass(DeviceConv& conv, double tolerance);

// "padding 1,1,2,2", all that ConvProblem::describe() leaves out: for keys.
std::string geometry_text(const ConvProblem& problem);

// What checked_...() of a kind of convolution finds, remembered by the context under `key`.
// `make` makes the small convolution out of programs of this source; fault_after_checks() tells
// what becomes of those that are wrong, and what is thrown.
std::string checked_conv(const std::string& key, const std::string& source, double tolerance,
                         OpenClContext& context,
                         const std::function<std::unique_ptr<DeviceConv>()>& make);

}  // namespace convoy
