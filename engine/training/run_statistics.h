// From the steps of a run to its one-line summary.
#pragma once

#include <vector>

#include "engine/base/stop_token.h"
#include "engine/results/run_events.h"

namespace convoy {

// The value below which `q` (0..1) of the values lie, interpolated linearly between neighbours (the
// default of NumPy and R). `values` must not be empty.
double quantile(std::vector<double> values, double q);

// How many of `steps` first steps do not count: memory is touched and caches are filled for the
// first time.
int warm_up_steps(int steps);

// Waits until the part of a step outside the convolutional layers, which began at `begin` and had
// `conv_ms` of convolutions in it, has taken as long as on a computer of `speed` (1: no wait).
void wait_for_slower(TimePoint begin, double conv_ms, double speed, const StopToken* stop);

// conv_ms and comm_ms of a step: the slowest device's compute, and what the layers took beyond it.
struct ConvTimes {
  double conv_ms = 0.0, comm_ms = 0.0;
};
ConvTimes conv_times(const std::vector<Slice>& slices, double layers_ms, int devices);

// The best speedup over the baseline if communication were free: Amdahl's law with the part of the
// baseline's step that is distributed, `distributed_ms`, and the devices' summed speed relative to
// the baseline device.
double amdahl_limit(const RunBaseline& baseline, double distributed_ms, double relative_speed);

class RunStatistics {
 public:
  void add(const RunStep& step);
  int steps() const { return steps_; }
  // Fills what follows from the steps into `summary`: times, shares, rates, loss, speedup,
  // efficiency (the speedup over the devices' summed speed relative to the baseline device,
  // `relative_speed`).
  void complete(RunSummary& summary, double relative_speed) const;

 private:
  int steps_ = 0;
  double loss_ = 0.0;
  std::vector<double> step_ms_, conv_ms_, comm_ms_, comp_ms_;  // without warm-up
};

}  // namespace convoy
