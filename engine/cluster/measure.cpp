#include "engine/cluster/measure.h"

#include <algorithm>

#include "engine/base/random.h"
#include "engine/tensor/buffer.h"

namespace convoy {
namespace {

FloatBuffer made_up(std::size_t size, std::uint64_t seed) {
  // A short random piece over and over: the values do not matter for the time as long as they are
  // neither zeros nor denormals.
  Random random(seed);
  float piece[1021];
  for (float& value : piece) value = static_cast<float>(random.uniform(-1.0, 1.0));
  FloatBuffer buffer(size);
  for (std::size_t at = 0; at < size; at += std::size(piece))
    std::copy_n(piece, std::min(std::size(piece), size - at), buffer.data() + at);
  return buffer;
}

double median(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

}  // namespace

ConvMeasurement measure_conv(Device& device, const ConvProblem& problem, bool needs_grad_input,
                             const StopToken* stop) {
  const auto conv = device.make_conv(problem);
  const FloatBuffer input = made_up(problem.input_size(), 1);
  const FloatBuffer weight = made_up(problem.weight_size(), 2);
  const FloatBuffer grad_output = made_up(problem.output_size(), 3);
  FloatBuffer result(
      std::max({problem.input_size(), problem.weight_size(), problem.output_size()}));

  std::array<std::vector<double>, 3> times;
  const auto timed = [&](int pass, auto&& work) {
    const auto begin = SteadyClock::now();
    work();
    times[static_cast<std::size_t>(pass)].push_back(milliseconds(SteadyClock::now() - begin));
  };
  // One step as DeviceShare runs it: uploads and transforms count where they happen.
  const auto run_all = [&] {
    const auto begin = SteadyClock::now();
    timed(0, [&] {
      conv->set_operand(Operand::kInput, input.data());
      conv->set_operand(Operand::kWeight, weight.data());
      conv->run(Pass::kForward, result.data(), stop);
    });
    timed(2, [&] {
      conv->set_operand(Operand::kGradOutput, grad_output.data());
      conv->run(Pass::kBackwardWeights, result.data(), stop);
    });
    if (needs_grad_input) timed(1, [&] { conv->run(Pass::kBackwardData, result.data(), stop); });
    return milliseconds(SteadyClock::now() - begin);
  };

  // The first run touches memory and, on an OpenCL device, may compile kernels.
  if (const double first_ms = run_all(); first_ms < 10e3) {
    for (auto& pass : times) pass.clear();
    const double second_ms = run_all();
    const int runs = std::clamp(static_cast<int>(2000.0 / second_ms), 1, 50);
    for (int run = 1; run < runs; ++run) run_all();
  }
  ConvMeasurement measurement;
  for (const Pass pass : kAllPasses) {
    const auto i = static_cast<std::size_t>(pass);
    if (times[i].empty()) continue;
    measurement.ms[i] = median(times[i]);
    measurement.algorithm[i] = conv->algorithm(pass);
  }
  return measurement;
}

}  // namespace convoy
