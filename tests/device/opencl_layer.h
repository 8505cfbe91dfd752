// A layer between the program and the OpenCL loader: it counts calls and objects, and makes calls
// fail, or runs something in them, that a test chooses.
//
// A test program that links it defines the functions of OpenCL itself, and so comes before the
// loader: the calls of the engine and of CLBlast reach this layer and go on to the loader unless
// they are to fail. The engine is the one that ships, unchanged. A call that fails does not reach
// the device, except that what waits (clFinish, clWaitForEvents) waits first, as on a device that
// is lost nothing goes on either. Functions that release never fail: what it would mean is not
// defined. Thread-safe.
#pragma once

#ifndef CL_TARGET_OPENCL_VERSION
#define CL_TARGET_OPENCL_VERSION 120
#endif
#include <CL/cl.h>

#include <functional>
#include <map>
#include <set>
#include <string>

namespace convoy::opencl_layer {

struct Fault {
  cl_int code = CL_OUT_OF_RESOURCES;
  int at = 0;            // of the calls that count, from 0
  bool lasting = false;  // every later one that counts fails too
  std::string function;  // only calls of this function count; of all where empty
};

// Counts calls from now on, and makes them fail. Replaces what was injected before.
void inject(const Fault& fault);

struct Report {
  int calls = 0;         // that counted
  int failed = 0;        // of them
  std::string function;  // the first that failed
};
// Nothing fails any more.
Report end_injection();

// Runs `work` in the `at`th call of `function`, counted from 0, in its thread and before the call
// is ended or made to fail. One at a time.
class OnCall {
 public:
  OnCall(std::string function, int at, std::function<void()> work);
  OnCall(const OnCall&) = delete;
  OnCall& operator=(const OnCall&) = delete;
  ~OnCall();
};

// References that the program holds now, by kind: "buffer", "event", ...; kinds without any are
// left out.
std::map<std::string, int> held();

// The functions that pass through here.
const std::set<std::string>& functions();

}  // namespace convoy::opencl_layer
