// A pass that is being queued and computed: the pieces of its work, and what it moves.
#pragma once

#include <map>
#include <memory>

#include "engine/base/stop_token.h"
#include "engine/device/opencl_staging.h"

namespace convoy {

// Used by one thread. Errors are those of cl_check().
class OpenClRunningPass {
 public:
  // `queue` is the one that computes. With `slot_bytes` above 0 transfers are those of
  // OpenClStaging, with slots of that size; else the driver moves to and from the host's memory as
  // it is, in `queue`.
  OpenClRunningPass(OpenClContext& context, cl_command_queue queue, std::size_t slot_bytes,
                    const StopToken* stop);
  OpenClRunningPass(const OpenClRunningPass&) = delete;
  OpenClRunningPass& operator=(const OpenClRunningPass&) = delete;
  // Waits until nothing that was queued may touch the host's memory any more.
  ~OpenClRunningPass();

  // What has been queued since the last call is one piece, of which at most two are under way.
  // Throws Interrupted when stopped.
  void end_piece();

  // What is queued from now on finds the part in `buffer`. The host's memory must stay as it is
  // until the pass is over.
  void upload(cl_mem buffer, const float* host, const HostPart& part);
  // Uploads to `buffer` may begin when all that has been queued until now is over; not needed for
  // buffers that this pass has not used.
  void set_unused(cl_mem buffer);
  // The host receives what `buffer` holds after all that has been queued; at the latest when
  // finish() returns.
  void download(cl_mem buffer, float* host, const HostPart& part);
  // To be called before what was asked to be downloaded from `buffer` is overwritten.
  void finish_downloads(cl_mem buffer);
  // To be called when the last piece has been ended. Returns when all results are with the host.
  void finish();

  // Floats that move at one time: work is best cut into pieces that need so many.
  std::size_t floats_at_once() const;

 private:
  OpenClContext& context_;
  cl_command_queue queue_;
  const StopToken* stop_;
  ClEvent under_way_;
  std::unique_ptr<OpenClStaging> staging_;  // lent by the context
  std::map<cl_mem, ClEvent> unused_;        // from when on
};

}  // namespace convoy
