// What a device did, from when to when. The one record behind every chart, CSV row and trace slice.
#pragma once

#include <chrono>
#include <cstdint>

#include "engine/conv/conv_problem.h"

namespace convoy {

using SteadyClock = std::chrono::steady_clock;
using TimePoint = SteadyClock::time_point;

inline double milliseconds(SteadyClock::duration d) {
  return std::chrono::duration<double, std::milli>(d).count();
}

// Seen from the device: it receives operands from the master, computes, sends results back, and
// waits for the others. An emulated slower device's extra time is part of compute.
enum class Activity { kReceive, kCompute, kSend, kWait };

struct Slice {
  int device = 0;  // index into the experiment's devices; 0 is the master's own
  int layer = 0;   // index of the convolutional layer, from 0
  Pass pass = Pass::kForward;
  Activity activity = Activity::kCompute;
  TimePoint begin, end;
  std::uint64_t bytes = 0;  // moved by a receive or send
  int chunk = -1;           // of the batch, from 0; -1 for what concerns all of it
};

}  // namespace convoy
