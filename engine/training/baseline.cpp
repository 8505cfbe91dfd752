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

double sum_of(const std::vector<std::array<double, 3>>& layers) {
  double sum = 0.0;
  for (const auto& passes : layers)
    for (const double ms : passes) sum += ms;
  return sum;
}

// The times of the steps so far.
class Samples {
 public:
  // `rest_speed` turns the parts' real times into those of the computer that is meant.
  void add(const std::vector<std::array<double, 3>>& layers, double comp_ms,
           const std::vector<MasterSlice>& parts, double rest_speed) {
    const double conv_ms = sum_of(layers);
    step_.push_back(conv_ms + comp_ms);
    conv_.push_back(conv_ms);
    comp_.push_back(comp_ms);
    layers_.resize(layers.size());
    for (std::size_t layer = 0; layer < layers.size(); ++layer)
      for (std::size_t pass = 0; pass < 3; ++pass)
        layers_[layer][pass].push_back(layers[layer][pass]);
    parts_.resize(parts.size());
    for (std::size_t i = 0; i < parts.size(); ++i) {
      parts_[i].first = parts[i].name;
      parts_[i].second.push_back(milliseconds(parts[i].end - parts[i].begin) / rest_speed);
    }
  }

  BaselineTimes medians(double rest_speed) const {
    BaselineTimes times;
    times.step_ms = quantile(step_, 0.5);
    times.conv_ms = quantile(conv_, 0.5);
    times.comp_ms = quantile(comp_, 0.5);
    times.rest_speed = rest_speed;
    for (const auto& layer : layers_) {
      auto& passes = times.layer_ms.emplace_back();
      for (std::size_t pass = 0; pass < 3; ++pass) passes[pass] = quantile(layer[pass], 0.5);
    }
    double known_ms = 0.0;
    for (const auto& [name, ms] : parts_) {
      times.rest.push_back({name, quantile(ms, 0.5)});
      known_ms += times.rest.back().ms;
    }
    times.rest.push_back({"other", std::max(0.0, times.comp_ms - known_ms)});
    return times;
  }

 private:
  std::vector<double> step_, conv_, comp_;
  std::vector<std::array<std::vector<double>, 3>> layers_;
  std::vector<std::pair<std::string, std::vector<double>>> parts_;
};

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

  Samples samples;
  Parameters first_gradients;
  int total = problem.timed ? 2 : 1;
  for (int step = 0; step < total; ++step) {
    if (stop) stop->throw_if_stopped();
    progress(step, total);
    const TimePoint begin = SteadyClock::now();
    const auto place = static_cast<std::size_t>(step) % batches;
    batch.load(order, place * static_cast<std::size_t>(problem.batch_size), problem.batch_size);
    const TimePoint loaded = SteadyClock::now();
    const StepResult result =
        model.train_step(batch.pixels(), batch.labels(), problem.sgd, convolutions);
    if (step == 0) first_gradients = model.gradients().copy();
    if (!problem.timed) break;
    std::vector<MasterSlice> parts = result.slices;
    parts.insert(parts.begin(), {"batch", begin, loaded});
    auto layers = convolutions.take_layer_ms();
    const double real_conv_ms = sum_of(layers);
    double comp_ms = milliseconds(SteadyClock::now() - begin) - real_conv_ms;
    if (clock == ClockMode::kVirtual) {
      comp_ms /= rest_speed;
      for (auto& layer : layers)
        for (double& ms : layer) ms /= spec.speed;
    } else {
      wait_for_slower(begin, real_conv_ms, rest_speed, stop);
      comp_ms = milliseconds(SteadyClock::now() - begin) - real_conv_ms;
    }
    if (step > 0)
      samples.add(layers, comp_ms, parts, rest_speed);
    else
      total = 1 + steps_to_measure(sum_of(layers) + comp_ms);
  }
  BaselineTimes times = problem.timed ? samples.medians(rest_speed) : BaselineTimes();
  times.first_gradients = std::move(first_gradients);
  return times;
}

}  // namespace convoy
