// A layer with operands, its results by an executor, and what they are held against.
#pragma once

#include <algorithm>
#include <cmath>
#include <vector>

#include "engine/base/random.h"
#include "engine/cluster/layer_plan.h"
#include "engine/conv/conv_executor.h"
#include "tests/conv/random_convolution.h"
#include "tests/device/cpu_id.h"

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

struct LayerResults {
  explicit LayerResults(const ConvProblem& p)
      : output(nans(p.output_size())),
        grad_weight(nans(p.weight_size())),
        grad_input(nans(p.input_size())) {}
  FloatBuffer output, grad_weight, grad_input;
};

// The largest of the three results' differences.
inline double difference(const LayerResults& a, const LayerResults& b) {
  return std::max({difference(a.output, b.output), difference(a.grad_weight, b.grad_weight),
                   difference(a.grad_input, b.grad_input)});
}

struct LayerCase {
  LayerCase(const ConvProblem& p, std::uint64_t seed) : problem(p) {
    Random random(seed);
    input = random_floats(p.input_size(), random);
    weight = random_floats(p.weight_size(), random);
    grad_output = random_floats(p.output_size(), random);
  }
  LayerForward forward_to(LayerResults& results) const {
    return {input.data(), weight.data(), results.output.data()};
  }
  LayerBackward backward_to(LayerResults& results) const {
    return {grad_output.data(), results.grad_weight.data(), results.grad_input.data()};
  }
  ConvProblem problem;
  FloatBuffer input, weight, grad_output;
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

// One step of the executor's layer `number`, from 1: it asks for all gradients.
inline LayerResults run_layer(ConvExecutor& executor, int number, const LayerCase& layer) {
  LayerResults results(layer.problem);
  executor.forward(number, layer.forward_to(results));
  executor.backward(number, layer.backward_to(results));
  return results;
}

// Each device's kernels, by layer.
inline ClusterPlan explicit_plan(const std::vector<ConvProblem>& problems,
                                 const std::vector<std::vector<int>>& kernels) {
  ClusterPlan plan;
  for (std::size_t i = 0; i < problems.size(); ++i) {
    LayerPlan layer;
    layer.problem = problems[i];
    layer.needs_grad_input = i > 0;
    layer.kernels = kernels[i];
    plan.layers.push_back(layer);
  }
  return plan;
}

}  // namespace convoy
