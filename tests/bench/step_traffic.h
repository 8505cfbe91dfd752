// The bytes that the pieces of a training step cannot avoid moving.
//
// Each array is counted as read once and written once, at full size, whatever the caches may still
// hold; arrays that always stay in a core's cache (partial sums, biases, logits) are left out.
#pragma once

#include <string>
#include <vector>

#include "engine/network/network_spec.h"
#include "tests/bench/memory_bandwidth.h"

namespace convoy::bench {

struct Traffic {
  std::string piece;  // as the model names it in its slices
  Mix mix;            // the yardstick with the nearest proportion of reads to writes
  double read_bytes = 0, written_bytes = 0;
  // Read besides when the results are stored through the caches: the lines to be overwritten.
  double ownership_bytes = 0;
  double bytes() const { return read_bytes + written_bytes; }
};

// In the order of the step. The softmax is not among them: its logits stay in the caches.
std::vector<Traffic> step_traffic(const NetworkSpec& spec, int batch);

}  // namespace convoy::bench
