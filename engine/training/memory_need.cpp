#include "engine/training/memory_need.h"

#include <algorithm>
#include <fstream>
#include <string>

namespace convoy {

std::uint64_t memory_need(const NetworkSpec& spec, int batch, int devices,
                          const DistributionOptions& options) {
  // In floats.
  std::uint64_t parameters = static_cast<std::uint64_t>(spec.classes) * (spec.features() + 1);
  std::uint64_t weights = 0, maps = 0, pooled = 0, inputs = 0, largest_grad_input = 0;
  const auto problems = spec.conv_problems(batch);
  for (std::size_t i = 0; i < problems.size(); ++i) {
    const ConvProblem& problem = problems[i];
    weights += problem.weight_size();
    maps = std::max<std::uint64_t>(maps, problem.output_size());
    inputs += problem.input_size();
    if (i > 0) {
      pooled += problem.input_size();
      largest_grad_input = std::max<std::uint64_t>(largest_grad_input, problem.input_size());
    }
  }
  parameters += weights;
  pooled += static_cast<std::uint64_t>(spec.features()) * static_cast<std::uint64_t>(batch);

  // The model: weights, gradients and momentum, one layer's maps, all pooled maps with a byte's
  // choice each, and the gradient of one layer's input.
  const std::uint64_t model = 4 * (3 * parameters + maps + pooled + largest_grad_input) + pooled;
  // A worker: the inputs of all layers and, of its own kernels, weights, their gradients and maps;
  // its share of the input's gradient twice, there and on arrival.
  const auto workers = static_cast<std::uint64_t>(devices - 1);
  const std::uint64_t part = (2 * weights + maps) / static_cast<std::uint64_t>(devices);
  std::uint64_t more = 0;
  // Values, velocities and gradients stay with the devices, the master's own among them; the master
  // has a copy of all that steps change.
  if (options.resident_kernels) more += 4 * (3 * weights + 2 * parameters);
  // Every device has all weights and its share of all their gradients, and so has the master.
  if (options.split != SplitMode::kKernels)
    more += 4 * (workers * 2 * weights + static_cast<std::uint64_t>(devices) * weights);
  // What does not travel as it lies is packed, at both ends.
  if (options.wire != WireFormat::kFp32 || options.overlap || options.split != SplitMode::kKernels)
    more += workers * 4 * 2 * std::max(largest_grad_input, maps);
  return model + workers * 4 * (inputs + part + 2 * largest_grad_input) + more;
}

std::optional<std::uint64_t> available_memory() {
  std::ifstream file("/proc/meminfo");
  for (std::string name, rest; file >> name; std::getline(file, rest)) {
    std::uint64_t kibibytes = 0;
    if (name == "MemAvailable:" && file >> kibibytes) return kibibytes * 1024;
  }
  return std::nullopt;
}

}  // namespace convoy
