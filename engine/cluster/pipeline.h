// Three stages that work off the chunks of a batch: receive, compute, send.
#pragma once

#include <functional>

#include "engine/base/stop_token.h"

namespace convoy {

// Works off one chunk; polls the token and throws Interrupted when stopped.
using Stage = std::function<void(int chunk, const StopToken& stop)>;

// Every stage takes the chunks in order, and every chunk the stages. Side by side, each stage works
// on its own chunk at the same time, the second in the calling thread, the others in threads of
// their own (on the caller's cores); otherwise one chunk after another goes through all stages
// here. Returns when all is done. Where a stage fails, the others are stopped, and its exception is
// rethrown; Interrupted when `stop` is requested.
void run_pipeline(int chunks, bool side_by_side, const Stage& receive, const Stage& compute,
                  const Stage& send, const StopToken& stop);

}  // namespace convoy
