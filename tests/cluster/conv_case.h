// A layer with operands, and what the distributed result is held against.
#pragma once

#include <cmath>

#include "engine/base/random.h"
#include "engine/conv/conv_problem.h"
#include "engine/device/discovery.h"
#include "engine/tensor/buffer.h"

namespace convoy {

inline FloatBuffer random_floats(std::size_t size, Random& random) {
  FloatBuffer buffer(size);
  for (float& value : buffer.span()) value = static_cast<float>(random.uniform(-1.0, 1.0));
  return buffer;
}

inline FloatBuffer nans(std::size_t size) {
  FloatBuffer buffer(size);
  for (float& value : buffer.span()) value = std::nanf("");
  return buffer;
}

// The n-th device of `kind`: on a machine with fewer cores, cores are used twice.
inline std::string cpu_id(std::size_t n) {
  const auto cores = available_cores();
  return "cpu:" + std::to_string(cores[n % cores.size()]);
}

// Largest difference relative to the largest value: what rounding leaves when sums are formed in
// another order stays far below 1e-4.
inline double difference(const FloatBuffer& a, const FloatBuffer& b) {
  double largest = 0.0, apart = 0.0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (!std::isfinite(a[i])) return INFINITY;
    largest = std::max(largest, std::abs(static_cast<double>(b[i])));
    apart = std::max(apart, std::abs(static_cast<double>(a[i]) - b[i]));
  }
  return largest > 0.0 ? apart / largest : apart;
}

struct LayerCase {
  LayerCase(const ConvProblem& p, std::uint64_t seed) : problem(p) {
    Random random(seed);
    input = random_floats(p.input_size(), random);
    weight = random_floats(p.weight_size(), random);
    grad_output = random_floats(p.output_size(), random);
  }
  ConvProblem problem;
  FloatBuffer input, weight, grad_output;
};

struct LayerResults {
  explicit LayerResults(const ConvProblem& p)
      : output(nans(p.output_size())),
        grad_weight(nans(p.weight_size())),
        grad_input(nans(p.input_size())) {}
  FloatBuffer output, grad_weight, grad_input;
};

// The plain reference on one core.
inline LayerResults reference_results(const LayerCase& layer) {
  LayerResults results(layer.problem);
  const auto device = open_device(cpu_id(0));
  const auto conv = device->make_conv(layer.problem, {"reference", 0});
  conv->set_operand(Operand::kInput, layer.input.data());
  conv->set_operand(Operand::kWeight, layer.weight.data());
  conv->set_operand(Operand::kGradOutput, layer.grad_output.data());
  conv->run(Pass::kForward, results.output.data(), nullptr);
  conv->run(Pass::kBackwardWeights, results.grad_weight.data(), nullptr);
  conv->run(Pass::kBackwardData, results.grad_input.data(), nullptr);
  return results;
}

}  // namespace convoy
