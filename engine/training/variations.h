// An experiment varied: the same but for named values, every combination of them.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "engine/training/experiment.h"

namespace convoy {

// `path` as with_setting() takes it, "link.bandwidth_mbps"; or "devices" with numbers (the first so
// many of the experiment's devices), or "method" with "paper" and "best" (paper_options(),
// best_options()).
struct Variation {
  std::string path;
  std::vector<std::string> values;
};

struct Variant {
  std::vector<std::string> values;  // one for each variation, in their order
  Experiment experiment;
};

// "network.kernels=[50,500],[150,800]": commas within brackets, braces and quotes belong to a
// value. Throws Error(kExperiment) where there is no value.
Variation parse_variation(const std::string& text);

// All combinations, the last variation changing fastest; just the experiment itself where nothing
// is varied. `missing_devices` gives those of an experiment that names none. Throws
// Error(kExperiment) for what parse_experiment() and with_setting() refuse, naming the variation.
std::vector<Variant> vary(const std::string& json_text, const std::vector<Variation>& variations,
                          const std::string& file,
                          const std::function<std::vector<DeviceSpec>()>& missing_devices);

// The experiment on its first `count` devices. Explicit shares become those of what is left,
// scaled to a sum of 1. Throws Error(kExperiment) where there are not as many.
Experiment with_devices(Experiment experiment, int count);

}  // namespace convoy
