// A layer that pools, with its operands, and a step of it on a device that pools or with the host's
// arithmetic.
#pragma once

#include <QTest>
#include <algorithm>
#include <cstring>
#include <memory>
#include <vector>

#include "engine/device/device.h"
#include "engine/device/opencl_fft_conv.h"
#include "engine/device/opencl_im2col_conv.h"
#include "engine/device/opencl_pooling.h"
#include "engine/tensor/elementwise.h"
#include "tests/device/opencl_conv_case.h"

namespace convoy {

// Results of a step of a layer that pools.
struct PooledStep {
  std::vector<float> pooled, grad_input, grad_weight, grad_bias;

  explicit PooledStep(const ConvProblem& p)
      : pooled(p.pooled_size()),
        grad_input(p.input_size()),
        grad_weight(p.weight_size()),
        grad_bias(static_cast<std::size_t>(p.out_channels)) {}
};

struct PooledCase {
  ConvProblem problem;
  Arrays arrays;
  FloatBuffer bias, grad_pooled;

  // Not whole numbers: sums in another order must not make equals of what is not equal.
  PooledCase(const ConvProblem& p, Random& random)
      : problem(p),
        arrays(normal_arrays(p, random)),
        bias(static_cast<std::size_t>(p.out_channels)),
        grad_pooled(p.pooled_size()) {
    fill(random);
  }
  void fill(Random& random) {
    for (FloatBuffer* buffer : {&bias, &grad_pooled})
      for (float& value : buffer->span()) value = static_cast<float>(random.normal());
  }
};

// A random problem with windows to pool.
inline ConvProblem random_pooled(Random& random, bool transformable) {
  for (;;) {
    ConvProblem p = random_problem(random);
    if (transformable) p.stride_height = p.stride_width = 1;
    if (p.batch > 4) p.batch += static_cast<int>(random.below(40));
    if (p.pooled_size() > 0) return p;
  }
}

inline std::shared_ptr<OpenClPooling> pooling_of(const ConvProblem& p,
                                                 const std::shared_ptr<OpenClContext>& context) {
  return std::make_shared<OpenClPooling>(context, p);
}

// By "im2col" or "fft"; pools where there is `pooling`.
inline std::unique_ptr<OpenClConv> make_by(const QString& domain,
                                           const std::shared_ptr<OpenClContext>& context,
                                           const ConvProblem& p, const QString& product,
                                           const OpenClLimits& limits,
                                           const std::shared_ptr<OpenClPooling>& pooling) {
  if (domain == "fft")
    return std::make_unique<OpenClFftConv>(context, p, product.toStdString(), limits,
                                           ChosenBy::kName, pooling);
  return std::make_unique<OpenClIm2colConv>(context, p, product.toStdString(), limits,
                                            ChosenBy::kName, pooling);
}

inline MapShape maps_of(const ConvProblem& p) {
  return {static_cast<std::size_t>(p.out_height()), static_cast<std::size_t>(p.out_width()),
          static_cast<std::size_t>(p.batch)};
}

// The convolution by a layer that does not pool, the rest on the host.
inline PooledStep step_on_host(DeviceConv& conv, const PooledCase& given) {
  const ConvProblem& p = given.problem;
  const MapShape shape = maps_of(p);
  PooledStep step(p);
  FloatBuffer maps(p.output_size());
  std::vector<std::uint8_t> choices(p.pooled_size());
  conv.set_operand(Operand::kInput, given.arrays.input.data());
  conv.set_operand(Operand::kWeight, given.arrays.weight.data());
  conv.run(Pass::kForward, maps.data(), nullptr);
  for (std::size_t k = 0; k < given.bias.size(); ++k) {
    const std::size_t at = k * shape.pooled_size();
    float* const own = maps.data() + k * shape.size();
    bias_relu_pool(own, given.bias[k], shape, CacheUse::kKeep, step.pooled.data() + at,
                   choices.data() + at);
    step.grad_bias[k] = static_cast<float>(bias_relu_pool_backward(
        given.grad_pooled.data() + at, choices.data() + at, shape, CacheUse::kKeep, own));
  }
  conv.set_operand(Operand::kGradOutput, maps.data());
  conv.run(Pass::kBackwardData, step.grad_input.data(), nullptr);
  conv.run(Pass::kBackwardWeights, step.grad_weight.data(), nullptr);
  return step;
}

// In a step's order, or with the weights' gradient first; by one layer or by another one backward.
inline PooledStep step_on_device(DeviceConv& forward, DeviceConv& backward, const PooledCase& given,
                                 bool weights_first = false, const StopToken* stop = nullptr) {
  PooledStep step(given.problem);
  for (DeviceConv* conv : {&forward, &backward}) {
    conv->set_operand(Operand::kInput, given.arrays.input.data());
    conv->set_operand(Operand::kWeight, given.arrays.weight.data());
  }
  forward.set_bias(given.bias.data(), true);
  forward.run(Pass::kForward, step.pooled.data(), stop);
  backward.set_operand(Operand::kGradOutput, given.grad_pooled.data());
  backward.set_grad_bias(step.grad_bias.data());
  if (!weights_first) backward.run(Pass::kBackwardData, step.grad_input.data(), stop);
  backward.run(Pass::kBackwardWeights, step.grad_weight.data(), stop);
  if (weights_first) backward.run(Pass::kBackwardData, step.grad_input.data(), stop);
  return step;
}

// `tolerance` is of rms_error(); 0: exact. The bias' gradient is always a sum in another order.
inline void compare(const PooledStep& found, const PooledStep& expected, double tolerance,
                    const ConvProblem& p) {
  const auto error = [&](const std::vector<float>& a, const std::vector<float>& b) {
    if (tolerance == 0.0)
      return std::memcmp(a.data(), b.data(), b.size() * sizeof(float)) == 0 ? 0.0 : 1.0;
    return rms_error(a, b);
  };
  const double errors[] = {error(found.pooled, expected.pooled),
                           error(found.grad_input, expected.grad_input),
                           error(found.grad_weight, expected.grad_weight)};
  const double of_bias = rms_error(found.grad_bias, expected.grad_bias);
  QVERIFY2(std::ranges::all_of(errors, [&](double e) { return e <= tolerance; }) && of_bias < 1e-6,
           qPrintable(QString("%1: errors %2 %3 %4, of the bias' gradient %5")
                          .arg(problem_text(p))
                          .arg(errors[0])
                          .arg(errors[1])
                          .arg(errors[2])
                          .arg(of_bias)));
}

}  // namespace convoy
