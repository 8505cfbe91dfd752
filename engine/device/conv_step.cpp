#include "engine/device/conv_step.h"

#include <algorithm>

#include "engine/base/random.h"
#include "engine/conv/timeline.h"

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

}  // namespace

ConvStep::ConvStep(const ConvProblem& problem)
    : input_(made_up(problem.input_size(), 1)),
      weight_(made_up(problem.weight_size(), 2)),
      grad_output_(made_up(problem.output_size(), 3)),
      bias_(made_up(static_cast<std::size_t>(problem.out_channels), 4)),
      grad_bias_(bias_.size()),
      result_(std::max({input_.size(), weight_.size(), grad_output_.size()})) {}

std::array<double, 3> ConvStep::run(DeviceConv& conv, bool needs_grad_input, const StopToken* stop,
                                    const std::vector<Range>& parts) {
  std::array<double, 3> ms{};
  forward(conv, stop, parts, ms);
  backward(conv, needs_grad_input, stop, parts, ms);
  return ms;
}

double ConvStep::timed(DeviceConv& conv, Pass pass, const StopToken* stop,
                       const std::vector<Range>& parts, TimePoint begin) {
  if (pass == Pass::kBackwardWeights || !conv.works_in_parts() || parts.empty())
    conv.run(pass, result_.data(), stop);
  else
    for (const Range& part : parts) conv.run_part(pass, part, result_.data(), stop);
  return milliseconds(SteadyClock::now() - begin);
}

void ConvStep::forward(DeviceConv& conv, const StopToken* stop, const std::vector<Range>& parts,
                       std::array<double, 3>& ms) {
  if (conv.pools()) conv.set_bias(bias_.data(), true);
  const TimePoint begin = SteadyClock::now();
  conv.set_operand(Operand::kInput, input_.data());
  conv.set_operand(Operand::kWeight, weight_.data());
  ms[static_cast<std::size_t>(Pass::kForward)] = timed(conv, Pass::kForward, stop, parts, begin);
}

void ConvStep::backward(DeviceConv& conv, bool needs_grad_input, const StopToken* stop,
                        const std::vector<Range>& parts, std::array<double, 3>& ms) {
  if (conv.pools()) conv.set_grad_bias(grad_bias_.data());
  // The first pass backward pays for what both make of the output's gradient.
  TimePoint begin = SteadyClock::now();
  conv.set_operand(Operand::kGradOutput, grad_output_.data());
  for (const Pass pass : {Pass::kBackwardData, Pass::kBackwardWeights}) {
    if (pass == Pass::kBackwardData && !needs_grad_input) continue;
    ms[static_cast<std::size_t>(pass)] = timed(conv, pass, stop, parts, begin);
    begin = SteadyClock::now();
  }
}

StepTimes ConvStep::least_times(DeviceConv& conv, bool needs_grad_input, const StopToken* stop,
                                double best_ms) {
  constexpr int kRuns = 3, kMostRuns = 20;
  constexpr double kEnoughMs = 40.0, kHopeless = 2.0;
  // A first run touches memory for the first time; in a long one that matters less.
  constexpr double kLongMs = 5000.0, kRatherLongMs = 1000.0, kHopelessAtFirst = 3.0;
  const auto run_once = [&] {
    const auto ms = run(conv, needs_grad_input, stop);
    return StepTimes{ms, ms[0] + ms[1] + ms[2]};
  };
  StepTimes least = run_once();
  if (least.step_ms > kLongMs) return least;
  if (least.step_ms > kRatherLongMs && least.step_ms > kHopelessAtFirst * best_ms) return least;
  double total = 0.0;
  for (int i = 0; i < kMostRuns && (i < kRuns || total < kEnoughMs); ++i) {
    const StepTimes times = run_once();
    total += times.step_ms;
    if (i == 0) least = times;
    least.step_ms = 0.0;
    for (std::size_t pass = 0; pass < times.pass_ms.size(); ++pass) {
      least.pass_ms[pass] = std::min(least.pass_ms[pass], times.pass_ms[pass]);
      least.step_ms += least.pass_ms[pass];
    }
    const bool looked_at = i + 1 >= kRuns || total > kEnoughMs;
    if (looked_at && least.step_ms > kHopeless * best_ms) break;
  }
  return least;
}

}  // namespace convoy
