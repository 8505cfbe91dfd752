#include "engine/device/opencl_conv_check.h"

#include <cmath>

#include "engine/base/random.h"
#include "engine/tensor/buffer.h"

namespace convoy {
namespace {

FloatBuffer whole_numbers(std::size_t size, Random& random) {
  FloatBuffer values(size);
  for (float& value : values.span()) value = static_cast<float>(random.below(7)) - 3.0f;
  return values;
}

struct Operands {
  FloatBuffer input, weight, grad_output;
};

// The results of all passes, in the order of kAllPasses.
std::array<FloatBuffer, 3> sums_on_host(const ConvProblem& p, const Operands& operands) {
  std::array<FloatBuffer, 3> results = {FloatBuffer(p.output_size()), FloatBuffer(p.input_size()),
                                        FloatBuffer(p.weight_size())};
  for (FloatBuffer& result : results) result.fill_zero();
  const std::size_t batch = p.batch;
  std::size_t w = 0;
  for (int k = 0; k < p.out_channels; ++k)
    for (int c = 0; c < p.in_channels; ++c)
      for (int i = 0; i < p.kernel_height; ++i)
        for (int j = 0; j < p.kernel_width; ++j, ++w)
          for (int y = 0; y < p.out_height(); ++y)
            for (int x = 0; x < p.out_width(); ++x) {
              const int in_y = y * p.stride_height - p.padding.top + i;
              const int in_x = x * p.stride_width - p.padding.left + j;
              if (in_y < 0 || in_y >= p.in_height || in_x < 0 || in_x >= p.in_width) continue;
              const std::size_t in =
                  ((static_cast<std::size_t>(c) * p.in_height + in_y) * p.in_width + in_x) * batch;
              const std::size_t out =
                  ((static_cast<std::size_t>(k) * p.out_height() + y) * p.out_width() + x) * batch;
              const float* const input = operands.input.data() + in;
              const float* const grad_output = operands.grad_output.data() + out;
              const float weight = operands.weight.data()[w];
              float sum = 0.0f;
              for (std::size_t n = 0; n < batch; ++n) {
                results[0].data()[out + n] += input[n] * weight;
                results[1].data()[in + n] += grad_output[n] * weight;
                sum += input[n] * grad_output[n];
              }
              results[2].data()[w] += sum;
            }
  return results;
}

}  // namespace

std::string wrong_pass(DeviceConv& conv, double tolerance) {
  const ConvProblem& p = conv.problem();
  Random random(20223);
  const Operands operands{whole_numbers(p.input_size(), random),
                          whole_numbers(p.weight_size(), random),
                          whole_numbers(p.output_size(), random)};
  const auto expected = sums_on_host(p, operands);
  conv.set_operand(Operand::kInput, operands.input.data());
  conv.set_operand(Operand::kWeight, operands.weight.data());
  conv.set_operand(Operand::kGradOutput, operands.grad_output.data());
  for (const Pass pass : kAllPasses) {
    const FloatBuffer& right = expected[static_cast<std::size_t>(pass)];
    FloatBuffer found(right.size());
    for (float& value : found.span()) value = std::nanf("");  // which must all be replaced
    conv.run(pass, found.data(), nullptr);
    double error = 0.0, norm = 0.0;
    for (std::size_t i = 0; i < right.size(); ++i) {
      const double exact = right.data()[i], difference = found.data()[i] - exact;
      error += difference * difference;
      norm += exact * exact;
    }
    // Not "<", for an error may be NaN.
    if (!(error <= tolerance * tolerance * norm))
      return std::string(pass_name(pass)) + " of " + p.describe() +
             " is wrong: root mean square error " +
             std::to_string(std::sqrt(error / std::max(norm, 1.0)));
  }
  return {};
}

std::string geometry_text(const ConvProblem& problem) {
  const Padding& padding = problem.padding;
  return problem.describe() + ", stride " + std::to_string(problem.stride_height) + "x" +
         std::to_string(problem.stride_width) + ", padding " + std::to_string(padding.top) + "," +
         std::to_string(padding.left) + "," + std::to_string(padding.bottom) + "," +
         std::to_string(padding.right);
}

std::string checked_conv(const std::string& key, const std::string& source, double tolerance,
                         OpenClContext& context,
                         const std::function<std::unique_ptr<DeviceConv>()>& make) {
  const std::lock_guard lock(context.check_mutex());
  auto& checked = context.checked_products();
  const auto known = checked.find(key);
  if (known != checked.end()) return known->second;
  const auto check = [&] { return wrong_pass(*make(), tolerance); };
  return checked[key] = fault_after_checks(check, context, source);
}

}  // namespace convoy
