#include "engine/device/opencl_events.h"

#include <condition_variable>
#include <mutex>

namespace convoy {
namespace {

struct Ending {
  std::mutex mutex;
  std::condition_variable changed;
  bool over = false;
};

void CL_CALLBACK note_ending(cl_event, cl_int, void* ending_of) {
  Ending& ending = *static_cast<Ending*>(ending_of);
  // Notified under the lock, so that who waits cannot be gone yet.
  const std::lock_guard lock(ending.mutex);
  ending.over = true;
  ending.changed.notify_one();
}

}  // namespace

ClEvent make_marker(cl_command_queue queue, const std::string& where) {
  cl_event event = nullptr;
  cl_check(clEnqueueMarkerWithWaitList(queue, 0, nullptr, &event), "clEnqueueMarkerWithWaitList",
           where);
  ClEvent marker(event);
  cl_check(clFlush(queue), "clFlush", where);
  return marker;
}

void begin_after(cl_command_queue queue, cl_event event, const std::string& where) {
  if (!event) return;
  cl_check(clEnqueueBarrierWithWaitList(queue, 1, &event, nullptr), "clEnqueueBarrierWithWaitList",
           where);
}

bool is_over(cl_event event, const std::string& where) {
  cl_int status = CL_QUEUED;
  cl_check(
      clGetEventInfo(event, CL_EVENT_COMMAND_EXECUTION_STATUS, sizeof status, &status, nullptr),
      "clGetEventInfo", where);
  if (status < 0) cl_check(status, "a queued command", where);
  return status == CL_COMPLETE;
}

void sleep_until_over(cl_event event, const std::string& where) {
  if (!is_over(event, where)) {
    Ending ending;
    cl_check(clSetEventCallback(event, CL_COMPLETE, note_ending, &ending), "clSetEventCallback",
             where);
    std::unique_lock lock(ending.mutex);
    ending.changed.wait(lock, [&] { return ending.over; });
  }
  // Returns at once, and is what makes the host see what the device has written.
  cl_check(clWaitForEvents(1, &event), "clWaitForEvents", where);
}

}  // namespace convoy
