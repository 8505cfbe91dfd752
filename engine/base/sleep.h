// Sleeping to a moment, to some ten microseconds, and answering Stop meanwhile.
#pragma once

#include <chrono>

#include "engine/base/stop_token.h"

namespace convoy {

// Throws Interrupted within 20 ms of a stop. `stop` may be null. The core is free meanwhile.
void sleep_until(std::chrono::steady_clock::time_point end, const StopToken* stop);

}  // namespace convoy
