#include "engine/training/step_rest.h"

#include <algorithm>

namespace convoy {

double part_ms(const std::vector<RestPart>& rest, const std::string& name) {
  double ms = 0.0;
  for (const RestPart& part : rest)
    if (part.name == name) ms += part.ms;
  return ms;
}

double pooling_ms(const std::vector<RestPart>& rest, std::size_t layer, bool backward) {
  return part_ms(
      rest, "bias, ReLU, pooling " + std::to_string(layer + 1) + (backward ? " backward" : ""));
}

double update_ms(const std::vector<RestPart>& rest, const NetworkSpec& network, std::size_t layer) {
  const std::vector<ConvProblem> problems = network.conv_problems(1);
  double all = static_cast<double>(network.classes) * static_cast<double>(network.features() + 1);
  for (const ConvProblem& problem : problems)
    all += static_cast<double>(problem.weight_size()) + problem.out_channels;
  return part_ms(rest, "update") * static_cast<double>(problems.at(layer).weight_size()) / all;
}

double master_rest_ms(const std::vector<RestPart>& rest, const NetworkSpec& network,
                      const std::vector<SplitMode>& splits, const DistributionOptions& options) {
  double ms = 0.0;
  for (const RestPart& part : rest) ms += part.ms;
  for (std::size_t layer = 0; layer < splits.size(); ++layer) {
    if (options.fuse_pooling) ms -= pooling_ms(rest, layer, false) + pooling_ms(rest, layer, true);
    if (options.resident_kernels && splits[layer] == SplitMode::kKernels)
      ms -= update_ms(rest, network, layer);
  }
  return std::max(0.0, ms);
}

}  // namespace convoy
