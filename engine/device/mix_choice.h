// The fastest way to divide a layer's passes among algorithms that share what they make of an
// operand only with themselves.
#pragma once

#include <array>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "engine/device/conv_step.h"

namespace convoy {

// An algorithm for each pass, in the order of kAllPasses; empty for a pass that is never run.
using PassNames = std::array<std::string, 3>;
using PassCandidates = std::array<std::vector<std::string>, 3>;

// Nothing where such a step cannot be made. Far behind `best_ms` it may end early.
using MeasureStep = std::function<std::optional<StepTimes>(const PassNames&, double best_ms)>;

// Measures each candidate in all the passes that it may do; those that come close to another in
// some pass a second time, as whatever else the machine does may have struck either. A pass of a
// mix takes no less than when its neighbours use the same algorithm, for then they share most: so
// only those mixes are measured, as whole steps, whose passes add up to clearly less than the best
// so far.
PassNames fastest_names(const PassCandidates& candidates, const MeasureStep& measure);

}  // namespace convoy
