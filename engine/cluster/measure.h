// How long a device takes for a convolution.
#pragma once

#include "engine/cluster/worker.h"

namespace convoy {

// Lets the device find its fastest algorithms, by measuring them where no measurement is
// remembered. Then runs all passes (backward-data only when `needs_grad_input`) of `problem` on
// made-up operands: once to warm up, then for about two seconds, but three to fifty times, for the
// median. A first run beyond ten seconds is taken as it is.
ConvMeasurement measure_conv(Device& device, const ConvProblem& problem, bool needs_grad_input,
                             const StopToken* stop);

}  // namespace convoy
