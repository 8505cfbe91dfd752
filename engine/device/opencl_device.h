// Devices behind OpenCL: GPUs, and CPUs through a runtime such as PoCL.
//
// A layer's share is computed by im2col and a matrix product, or in the frequency domain; the
// algorithm's name, which is the same for all passes, says which:
//   im2col+vector, fft+vector    panels in vector registers, for CPUs
//   im2col+tiled, fft+tiled      tiles in local memory, for GPUs
//   im2col+clblast, fft+clblast  CLBlast's products
// What follows "+" may be left out. See opencl_choice.h for what a device takes by itself. Products
// are checked before they are used; DeviceInfo::warnings names those that failed when the device
// was first opened, and why, with the compiler's log.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "engine/device/device.h"

namespace convoy {

// Every OpenCL device, `opencl:P:D`, in the loader's order; empty where no OpenCL is installed. A
// platform or device that fails is left out; the reason is appended to `messages` when given.
std::vector<DeviceInfo> list_opencl_devices(std::vector<std::string>* messages = nullptr);

// `opencl:P:D`, or `opencl:P:D:CORES` (opencl_sub_device.h). Throws Error(kDevice) that names the
// id and the ids there are. The device may be used from several threads, each with its own
// DeviceConv; opening one device twice gives two that share nothing but compiled programs.
// DeviceConvOptions::scratch_limit bounds all memory that one DeviceConv holds on the device,
// copies of operands included.
std::unique_ptr<Device> open_opencl_device(const std::string& id);

}  // namespace convoy
