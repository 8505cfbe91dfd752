// How long a device takes for its part of a layer.
#pragma once

#include "engine/cluster/worker.h"

namespace convoy {

// Lets the device find its fastest algorithms, by measuring them where no measurement is
// remembered. Then runs all passes (backward-data only where needed) with what is fused to them on
// made-up operands, with the part's `others` going through the caches between them as in a step:
// once to warm up, then for about two seconds, but three to fifty times, for the median. A first
// run beyond ten seconds is taken as it is.
ConvMeasurement measure_part(Device& device, const LayerPart& part, const StopToken* stop);
// Runs all layers forward and then all backward, with what is fused to them, on made-up operands,
// so that each layer finds the caches as the others leave them: once to warm up, then for about a
// second, but three to thirty times. The medians, [layer], as ConvMeasurement::ms; zeros for empty
// parts. A first run beyond ten seconds is taken as it is.
std::vector<std::array<double, 3>> measure_step(Device& device, const std::vector<ChosenPart>& step,
                                                const StopToken* stop);
// What its computer takes to move, sum and update numbers: the median of a few goes over arrays as
// large as the part's maps. Rows are as the part has them in the master's arrays: where the batch
// is divided, with gaps.
MovingCost measure_moving(Device& device, const LayerPart& part, const StopToken* stop);
// What each of the part's cuts costs: the median of the differences of steps in one piece and in
// chunks, run in turns for about two seconds after a warm-up. Null where the device does not work
// in parts.
std::optional<CutCost> measure_cuts(Device& device, const LayerPart& part, const StopToken* stop);

}  // namespace convoy
