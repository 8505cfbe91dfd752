#include "engine/training/baseline.h"

#include <algorithm>
#include <cmath>

#include "engine/base/pace_clock.h"
#include "engine/cluster/single_device.h"
#include "engine/training/run_devices.h"
#include "engine/training/run_statistics.h"

namespace convoy {
namespace {

// How many steps to measure when one takes `ms`: about a second's worth.
int steps_to_measure(double ms) {
  if (ms > 15000.0) return 1;
  if (ms > 4000.0) return 2;
  return std::clamp(static_cast<int>(std::ceil(1000.0 / ms)), 3, 15);
}

}  // namespace

BaselineTimes measure_baseline(const BaselineProblem& problem, const DeviceSpec& spec,
                               ThreadPool& master_pool, double master_speed, ClockMode clock,
                               const StopToken* stop,
                               const std::function<void(int done, int total)>& progress) {
  const auto device = open_run_device(spec, clock);
  ThreadPool* const own = device->host_pool();
  ThreadPool& pool = own ? *own : master_pool;
  const double rest_speed = own ? spec.speed : master_speed;

  // First the convolutions: what they measure needs memory that the model then takes.
  SingleDevice convolutions(*device, problem.spec.conv_problems(problem.batch_size), true, stop);
  Model model(problem.spec, problem.batch_size, pool);
  model.parameters() = problem.initial.copy();
  Batch batch(problem.images, problem.normalisation, problem.batch_size, pool);
  const auto order = epoch_order(problem.images.count(), problem.shuffle, problem.seed, 1);
  const auto batches = order.size() / static_cast<std::size_t>(problem.batch_size);

  const bool is_virtual = clock == ClockMode::kVirtual;
  std::vector<double> step_ms, conv_ms, comp_ms;
  int total = 2;
  for (int step = 0; step < total; ++step) {
    if (stop) stop->throw_if_stopped();
    progress(step, total);
    const TimePoint begin = SteadyClock::now();
    const auto place = static_cast<std::size_t>(step) % batches;
    batch.load(order, place * static_cast<std::size_t>(problem.batch_size), problem.batch_size);
    model.train_step(batch.pixels(), batch.labels(), problem.sgd, convolutions);
    double conv = convolutions.take_conv_ms();
    if (!is_virtual) wait_for_slower(begin, conv, rest_speed, stop);
    double whole = milliseconds(SteadyClock::now() - begin);
    if (is_virtual) {
      whole = (whole - conv) / rest_speed + conv / spec.speed;
      conv /= spec.speed;
    }
    if (step == 0) {
      total = 1 + steps_to_measure(whole);
      continue;
    }
    step_ms.push_back(whole);
    conv_ms.push_back(conv);
    comp_ms.push_back(whole - conv);
  }
  return {quantile(step_ms, 0.5), quantile(conv_ms, 0.5), quantile(comp_ms, 0.5)};
}

}  // namespace convoy
