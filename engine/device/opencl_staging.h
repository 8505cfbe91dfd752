// Transfers between the host's memory and a device with memory of its own, beside its computing.
//
// They go through pinned memory (CL_MEM_ALLOC_HOST_PTR), which a device's copy engines read and
// write by themselves; it is mapped once and used again and again. Each direction has a command
// queue of its own. Events order them with the queue that computes: nothing here waits for it but
// for memory to become free.
#pragma once

#include <array>
#include <deque>

#include "engine/device/opencl_transfer.h"

namespace convoy {

// Used by one thread at a time. Errors are those of cl_check(); after one nothing is to be used
// again but the destructor.
class OpenClStaging {
 public:
  // Takes kSlots times `slot_bytes` of pinned memory for each direction. `context` must outlive it.
  OpenClStaging(const OpenClContext& context, std::size_t slot_bytes);
  OpenClStaging(const OpenClStaging&) = delete;
  OpenClStaging& operator=(const OpenClStaging&) = delete;
  // Waits until nothing is under way.
  ~OpenClStaging();

  std::size_t slot_bytes() const { return slot_bytes_; }
  // Of the computer's memory.
  static std::size_t pinned_bytes(std::size_t slot_bytes) { return 2 * kSlots * slot_bytes; }

  // Returns when the host's memory has been read. The buffer is written to when `unused` is over
  // (null: at once), and what is queued in `reader` from now on begins when all is there.
  void upload(cl_mem buffer, const float* host, const HostPart& part, cl_event unused,
              cl_command_queue reader);
  // The buffer is read when `made` is over; the host's memory is written to by this thread, in any
  // of the calls below.
  void download(cl_mem buffer, float* host, const HostPart& part, ClEvent made);

  // What can be done without waiting.
  void advance();
  // Returns when nothing of this buffer is left to read.
  void finish_downloads(cl_mem buffer);
  // Returns when all has arrived.
  void finish();

 private:
  static constexpr std::size_t kSlots = 4;
  struct Slot {
    ClBuffer pinned;
    float* memory = nullptr;
    ClEvent moved;  // empty: free
  };
  struct Direction {
    ClQueue queue;
    std::array<Slot, kSlots> ring;
    std::size_t next = 0;  // in turn, so that it is also the one that becomes free first
    Slot& take() { return ring[next++ % kSlots]; }
  };
  // Floats of a part, counted as they lie on the device, that have not begun to move.
  struct Wanted {
    cl_mem buffer;
    float* host;
    HostPart part;
    std::size_t begin;
    ClEvent made;
  };
  struct Moving {
    cl_mem buffer;
    float* host;
    HostPart part;
    std::size_t begin, end;
    Slot* slot;
  };

  void map_slots(Direction& direction);
  std::size_t slot_floats() const { return slot_bytes_ / sizeof(float); }
  void begin_downloads();
  void end_download();

  const OpenClContext& context_;
  std::size_t slot_bytes_;
  Direction up_, down_;
  std::deque<Wanted> wanted_;
  std::deque<Moving> moving_;
};

}  // namespace convoy
