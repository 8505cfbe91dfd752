#include "engine/cluster/traffic.h"

namespace convoy {

PartTraffic part_traffic(const ConvProblem& part, SplitMode split, bool needs_grad_input,
                         const DistributionOptions& options) {
  PartTraffic traffic;
  if (part.out_channels == 0 || part.batch == 0) return traffic;
  const std::uint64_t number = wire_size(options.wire);
  const auto channels = static_cast<std::uint64_t>(part.out_channels);
  const auto height = static_cast<std::uint64_t>(part.out_height());
  const auto width = static_cast<std::uint64_t>(part.out_width());
  const std::uint64_t map = options.fuse_pooling ? (height / 2) * (width / 2) : height * width;
  const bool resident = options.resident_kernels && split == SplitMode::kKernels;

  traffic.input = number * part.input_size();
  traffic.output = number * channels * map * static_cast<std::uint64_t>(part.batch);
  traffic.grad_output = traffic.output;
  if (needs_grad_input) traffic.grad_input = traffic.input;
  if (resident) return traffic;
  traffic.weight = traffic.grad_weight = number * part.weight_size();
  if (options.fuse_pooling) traffic.bias = traffic.grad_bias = sizeof(float) * channels;
  return traffic;
}

}  // namespace convoy
