// Devices behind OpenCL: GPUs, and CPUs through a runtime such as PoCL.
//
// A layer's share is computed by im2col and a matrix product; the algorithm's name says which:
//   im2col+vector   panels in vector registers, for CPUs
//   im2col+tiled    tiles in local memory, for GPUs
//   im2col+clblast  CLBlast's product
// The device's default is the first of these, in the order that suits its kind, that multiplied
// correctly when the device was first opened; DeviceInfo::driver names those that did not and why.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "engine/device/device.h"

namespace convoy {

// Every OpenCL device, `opencl:P:D`, in the loader's order; empty where no OpenCL is installed. A
// platform or device that fails is left out; the reason is appended to `messages` when given.
std::vector<DeviceInfo> list_opencl_devices(std::vector<std::string>* messages = nullptr);

// Throws Error(kDevice) that names the id and the ids there are. The device may be used from
// several threads, each with its own DeviceConv; opening one device twice gives two that share
// nothing but compiled programs. DeviceConvOptions::scratch_limit bounds all memory that one
// DeviceConv holds on the device, copies of operands included.
std::unique_ptr<Device> open_opencl_device(const std::string& id);

}  // namespace convoy
