#include "engine/network/parameters.h"

#include <algorithm>
#include <cmath>

#include "engine/base/random.h"

namespace convoy {

namespace {

FloatBuffer zeros_of(std::size_t size) {
  FloatBuffer buffer(size);
  buffer.fill_zero();
  return buffer;
}

FloatBuffer copy_of(const FloatBuffer& source) {
  FloatBuffer buffer(source.size());
  std::copy_n(source.data(), source.size(), buffer.data());
  return buffer;
}

void fill_normal(FloatBuffer& buffer, double variance, Random& random) {
  const double deviation = std::sqrt(variance);
  for (float& value : buffer.span()) value = static_cast<float>(deviation * random.normal());
}

}  // namespace

Parameters Parameters::zeros(const NetworkSpec& spec) {
  Parameters parameters;
  for (const ConvProblem& problem : spec.conv_problems(1))
    parameters.conv.push_back({zeros_of(problem.weight_size()),
                               zeros_of(static_cast<std::size_t>(problem.out_channels))});
  const auto classes = static_cast<std::size_t>(spec.classes);
  parameters.fc_weight = zeros_of(classes * spec.features());
  parameters.fc_bias = zeros_of(classes);
  return parameters;
}

Parameters Parameters::he(const NetworkSpec& spec, std::uint64_t seed) {
  Parameters parameters = zeros(spec);
  Random random(seed);
  const std::vector<ConvProblem> problems = spec.conv_problems(1);
  for (std::size_t layer = 0; layer < problems.size(); ++layer)
    fill_normal(parameters.conv[layer].weight,
                2.0 / static_cast<double>(problems[layer].kernel_elements()), random);
  fill_normal(parameters.fc_weight, 1.0 / static_cast<double>(spec.features()), random);
  return parameters;
}

Parameters Parameters::copy() const {
  Parameters parameters;
  for (const ConvParameters& layer : conv)
    parameters.conv.push_back({copy_of(layer.weight), copy_of(layer.bias)});
  parameters.fc_weight = copy_of(fc_weight);
  parameters.fc_bias = copy_of(fc_bias);
  return parameters;
}

}  // namespace convoy
