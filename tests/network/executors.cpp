#include "tests/network/executors.h"

#include <algorithm>

namespace convoy {

std::vector<float> random_values(std::size_t count, Random& random) {
  std::vector<float> values(count);
  for (float& value : values) value = static_cast<float>(random.normal());
  return values;
}

std::vector<std::uint16_t> random_labels(std::size_t count, int classes, Random& random) {
  std::vector<std::uint16_t> labels(count);
  for (auto& label : labels)
    label = static_cast<std::uint16_t>(random.below(static_cast<std::uint64_t>(classes)));
  return labels;
}

namespace {

// Calls visit(weight index, input index, output index) for every product in the convolution.
template <class Visit>
void for_each_product(const ConvProblem& p, const Visit& visit) {
  const auto index = [](int a, int b, int sizes_b, int c, int sizes_c, int d, int sizes_d) {
    return ((static_cast<std::size_t>(a) * sizes_b + b) * sizes_c + c) * sizes_d + d;
  };
  for (int k = 0; k < p.out_channels; ++k)
    for (int c = 0; c < p.in_channels; ++c)
      for (int i = 0; i < p.kernel_height; ++i)
        for (int j = 0; j < p.kernel_width; ++j)
          for (int y = 0; y < p.out_height(); ++y)
            for (int x = 0; x < p.out_width(); ++x) {
              const int row = y * p.stride_height - p.padding.top + i;
              const int column = x * p.stride_width - p.padding.left + j;
              if (row < 0 || row >= p.in_height || column < 0 || column >= p.in_width) continue;
              for (int n = 0; n < p.batch; ++n)
                visit(index(k, c, p.in_channels, i, p.kernel_height, j, p.kernel_width),
                      index(c, row, p.in_height, column, p.in_width, n, p.batch),
                      index(k, y, p.out_height(), x, p.out_width(), n, p.batch));
            }
}

void round_to(const std::vector<double>& sums, float* result) {
  std::transform(sums.begin(), sums.end(), result,
                 [](double sum) { return static_cast<float>(sum); });
}

double product(float a, float b) {
  return static_cast<double>(a) * static_cast<double>(b);
}

}  // namespace

NaiveExecutor::NaiveExecutor(const NetworkSpec& spec, int batch)
    : problems_(spec.conv_problems(batch)), operands_(problems_.size()) {}

void NaiveExecutor::forward(int layer, const LayerForward& operands) {
  const auto [input, weight, output, bias, training] = operands;
  const auto at = static_cast<std::size_t>(layer);
  operands_.at(at) = {input, weight};
  std::vector<double> sums(problems_[at].output_size());
  for_each_product(problems_[at], [&](std::size_t w, std::size_t in, std::size_t out) {
    sums[out] += product(weight[w], input[in]);
  });
  round_to(sums, output);
}

void NaiveExecutor::backward(int layer, const LayerBackward& operands) {
  const auto [grad_output, grad_weight, grad_input, grad_bias] = operands;
  const auto at = static_cast<std::size_t>(layer);
  const auto [input, weight] = operands_.at(at);
  std::vector<double> weight_sums(problems_[at].weight_size());
  std::vector<double> input_sums(problems_[at].input_size());
  for_each_product(problems_[at],
                   [&, &x = input, &k = weight](std::size_t w, std::size_t in, std::size_t out) {
                     weight_sums[w] += product(grad_output[out], x[in]);
                     input_sums[in] += product(grad_output[out], k[w]);
                   });
  round_to(weight_sums, grad_weight);
  if (grad_input) round_to(input_sums, grad_input);
}

AlgorithmExecutor::AlgorithmExecutor(const NetworkSpec& spec, int batch,
                                     const ConvAlgorithm& algorithm, ThreadPool& pool)
    : problems_(spec.conv_problems(batch)),
      operands_(problems_.size()),
      algorithm_(algorithm),
      pool_(pool) {}

void AlgorithmExecutor::run(int layer, Pass pass, const ConvOperands& operands) {
  const ConvProblem& problem = problems_.at(static_cast<std::size_t>(layer));
  constexpr std::size_t kScratchLimit = std::size_t{64} << 20;
  const auto plan = algorithm_.plan(problem, pass, pool_.size(), kScratchLimit);
  const std::size_t floats = plan->scratch_bytes() / sizeof(float) + 1;
  if (scratch_.size() < floats) scratch_.resize(floats);
  plan->run(operands, std::as_writable_bytes(scratch_.span()), pool_, nullptr);
}

void AlgorithmExecutor::forward(int layer, const LayerForward& operands) {
  const auto [input, weight, output, bias, training] = operands;
  ConvOperands& kept = operands_.at(static_cast<std::size_t>(layer));
  kept.input = input;
  kept.weight = weight;
  run(layer, Pass::kForward, {input, weight, nullptr, output});
}

void AlgorithmExecutor::backward(int layer, const LayerBackward& operands) {
  const auto [grad_output, grad_weight, grad_input, grad_bias] = operands;
  const ConvOperands& kept = operands_.at(static_cast<std::size_t>(layer));
  run(layer, Pass::kBackwardWeights, {kept.input, nullptr, grad_output, grad_weight});
  if (grad_input) run(layer, Pass::kBackwardData, {nullptr, kept.weight, grad_output, grad_input});
}

}  // namespace convoy
