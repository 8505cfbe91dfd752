// Waiting for what a device has been given to do.
#pragma once

#include <string>

#include "engine/device/opencl_handles.h"

namespace convoy {

// Of everything queued so far. Flushes, so that other queues may wait for it. Errors: cl_check() at
// `where`, also below.
ClEvent make_marker(cl_command_queue queue, const std::string& where);

// What is queued from now on begins when `event` is over; null is over.
void begin_after(cl_command_queue queue, cl_event event, const std::string& where);

// Whether it is over. Throws when it has failed.
bool is_over(cl_event event, const std::string& where);

// Returns when it is over; throws when it has failed. Its queue must have been flushed. The thread
// sleeps: the waits of some drivers (clWaitForEvents, clFinish, blocking reads) take a whole core
// until they return, which would be missing to a device that computes on it.
void sleep_until_over(cl_event event, const std::string& where);

}  // namespace convoy
