#include "tests/bench/step_traffic.h"

namespace convoy::bench {

namespace {

constexpr double kFloat = sizeof(float);

double pooled_size(const ConvProblem& problem) {
  return static_cast<double>(problem.output_size()) /
         (static_cast<double>(problem.out_height()) * problem.out_width()) *
         (problem.out_height() / 2) * (problem.out_width() / 2);
}

// Four values of the maps become a value and a one-byte choice.
Traffic pooling(const ConvProblem& problem, const std::string& number) {
  const double written = pooled_size(problem) * (kFloat + 1);
  return {"bias, ReLU, pooling " + number, kFourToOne,
          static_cast<double>(problem.output_size()) * kFloat, written, written};
}

Traffic pooling_backward(const ConvProblem& problem, const std::string& number) {
  const double written = static_cast<double>(problem.output_size()) * kFloat;
  return {"bias, ReLU, pooling " + number + " backward", kOneToFour,
          pooled_size(problem) * (kFloat + 1), written, written};
}

}  // namespace

std::vector<Traffic> step_traffic(const NetworkSpec& spec, int batch) {
  const std::vector<ConvProblem> problems = spec.conv_problems(batch);
  std::vector<Traffic> forward, backward;
  double parameters = 0.0;
  for (std::size_t layer = 0; layer < problems.size(); ++layer) {
    const std::string number = std::to_string(layer + 1);
    forward.push_back(pooling(problems[layer], number));
    backward.insert(backward.begin(), pooling_backward(problems[layer], number));
    parameters += static_cast<double>(problems[layer].weight_size()) + problems[layer].out_channels;
  }
  const double features = static_cast<double>(spec.features());
  const double maps = features * batch * kFloat, weight = features * spec.classes * kFloat;
  parameters += (features + 1) * spec.classes;

  std::vector<Traffic> all = forward;
  all.push_back({"fully connected", kRead, maps + weight, 0, 0});
  // The maps' gradient takes their place; only the weights' is written to lines not read before.
  all.push_back({"fully connected backward", kScale, maps + weight, maps + weight, weight});
  all.insert(all.end(), backward.begin(), backward.end());
  all.push_back({"update", kUpdate, 3 * parameters * kFloat, 2 * parameters * kFloat, 0});
  return all;
}

}  // namespace convoy::bench
