#include "engine/training/run_statistics.h"

#include <algorithm>
#include <cmath>

#include "engine/base/pace_clock.h"

namespace convoy {

double quantile(std::vector<double> values, double q) {
  std::sort(values.begin(), values.end());
  const double place = q * static_cast<double>(values.size() - 1);
  const auto low = static_cast<std::size_t>(place);
  const auto high = std::min(low + 1, values.size() - 1);
  return values[low] + (values[high] - values[low]) * (place - static_cast<double>(low));
}

int warm_up_steps(int steps) {
  if (steps >= 8) return 2;
  return steps >= 2 ? 1 : 0;
}

void wait_for_slower(TimePoint begin, double conv_ms, double speed, const StopToken* stop) {
  if (speed >= 1.0) return;
  const TimePoint now = SteadyClock::now();
  const double rest_ms = milliseconds(now - begin) - conv_ms;
  const std::chrono::duration<double, std::milli> wait(rest_ms * (1.0 / speed - 1.0));
  real_clock().sleep_until(now + std::chrono::duration_cast<SteadyClock::duration>(wait), stop);
}

ConvTimes conv_times(const std::vector<Slice>& slices, double layers_ms, int devices) {
  std::vector<double> compute(static_cast<std::size_t>(devices));
  for (const Slice& slice : slices)
    if (slice.activity == Activity::kCompute)
      compute[static_cast<std::size_t>(slice.device)] += milliseconds(slice.end - slice.begin);
  const double slowest = *std::max_element(compute.begin(), compute.end());
  return {slowest, layers_ms - slowest};
}

double amdahl_limit(const RunBaseline& baseline, double distributed_ms, double relative_speed) {
  const double distributed = distributed_ms / baseline.step_ms;
  return 1.0 / (1.0 - distributed + distributed / relative_speed);
}

void RunStatistics::add(const RunStep& step) {
  ++steps_;
  loss_ = step.loss;
  if (step.warm_up) return;
  step_ms_.push_back(step.step_ms);
  conv_ms_.push_back(step.conv_ms);
  comm_ms_.push_back(step.comm_ms);
  comp_ms_.push_back(step.comp_ms);
}

void RunStatistics::complete(RunSummary& summary, double relative_speed) const {
  summary.steps = steps_;
  if (steps_ > 0) summary.loss = loss_;
  if (step_ms_.empty()) return;
  summary.step_ms = quantile(step_ms_, 0.5);
  summary.step_ms_p10 = quantile(step_ms_, 0.1);
  summary.step_ms_p90 = quantile(step_ms_, 0.9);
  summary.conv_ms = quantile(conv_ms_, 0.5);
  summary.comm_ms = quantile(comm_ms_, 0.5);
  summary.comp_ms = quantile(comp_ms_, 0.5);
  summary.conv_share = *summary.conv_ms / *summary.step_ms;
  summary.images_per_s = summary.batch_size * 1000.0 / *summary.step_ms;
  if (!summary.baseline_step_ms) return;
  summary.speedup = *summary.baseline_step_ms / *summary.step_ms;
  summary.efficiency = *summary.speedup / relative_speed;
}

}  // namespace convoy
