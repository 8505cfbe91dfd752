// Whether transforms are right on a device.

#include <cmath>

#include "engine/base/random.h"
#include "engine/conv/fft_blocking.h"
#include "engine/device/opencl_fft_conv.h"
#include "engine/tensor/buffer.h"

namespace convoy {
namespace {

// The layer with few channels, kernels and pictures: the same sizes and tiles.
ConvProblem small_layer(const ConvProblem& problem) {
  ConvProblem small = problem.with_batch(3).with_kernels(2);
  small.in_channels = 2;
  return small;
}

FloatBuffer whole_numbers(std::size_t size, Random& random) {
  FloatBuffer values(size);
  for (float& value : values.span()) value = static_cast<float>(random.below(7)) - 3.0f;
  return values;
}

// All passes as sums on the host: exact, for the numbers are whole and small.
struct Expected {
  FloatBuffer results[3];

  Expected(const ConvProblem& p, const FloatBuffer& input, const FloatBuffer& weight,
           const FloatBuffer& grad_output)
      : results{FloatBuffer(p.output_size()), FloatBuffer(p.input_size()),
                FloatBuffer(p.weight_size())} {
    for (FloatBuffer& result : results) result.fill_zero();
    const std::size_t batch = p.batch;
    std::size_t w = 0;
    for (int k = 0; k < p.out_channels; ++k)
      for (int c = 0; c < p.in_channels; ++c)
        for (int i = 0; i < p.kernel_height; ++i)
          for (int j = 0; j < p.kernel_width; ++j, ++w)
            for (int y = 0; y < p.out_height(); ++y)
              for (int x = 0; x < p.out_width(); ++x) {
                const int in_y = y - p.padding.top + i, in_x = x - p.padding.left + j;
                if (in_y < 0 || in_y >= p.in_height || in_x < 0 || in_x >= p.in_width) continue;
                const std::size_t in =
                    ((static_cast<std::size_t>(c) * p.in_height + in_y) * p.in_width + in_x) *
                    batch;
                const std::size_t out =
                    ((static_cast<std::size_t>(k) * p.out_height() + y) * p.out_width() + x) *
                    batch;
                for (std::size_t n = 0; n < batch; ++n) {
                  results[0].data()[out + n] += input.data()[in + n] * weight.data()[w];
                  results[1].data()[in + n] += grad_output.data()[out + n] * weight.data()[w];
                  results[2].data()[w] += input.data()[in + n] * grad_output.data()[out + n];
                }
              }
  }
};

std::string check_fft(const std::string& product, const ConvProblem& p, const FftGeometry& geometry,
                      const OpenClLimits& limits, const std::shared_ptr<OpenClContext>& context) {
  Random random(20223);
  const FloatBuffer input = whole_numbers(p.input_size(), random);
  const FloatBuffer weight = whole_numbers(p.weight_size(), random);
  const FloatBuffer grad_output = whole_numbers(p.output_size(), random);
  const Expected expected(p, input, weight, grad_output);
  // Neither memory nor Stop are to be checked.
  OpenClLimits plenty = limits;
  plenty.total = context->entry().info.memory_bytes / 4;
  OpenClFftConv conv(context, p, geometry, product, plenty);
  conv.set_operand(Operand::kInput, input.data());
  conv.set_operand(Operand::kWeight, weight.data());
  conv.set_operand(Operand::kGradOutput, grad_output.data());
  for (const Pass pass : kAllPasses) {
    const FloatBuffer& right = expected.results[static_cast<int>(pass)];
    FloatBuffer found(right.size());
    conv.run(pass, found.data(), nullptr);
    double error = 0.0, norm = 0.0;
    for (std::size_t i = 0; i < right.size(); ++i) {
      const double exact = right.data()[i], difference = found.data()[i] - exact;
      error += difference * difference;
      norm += exact * exact;
    }
    // Single precision leaves some 1e-7 of the norm. Not "<", for an error may be NaN.
    if (!(error <= 1e-10 * norm))
      return std::string(pass_name(pass)) + " of " + p.describe() +
             " is wrong: root mean square error " +
             std::to_string(std::sqrt(error / std::max(norm, 1.0)));
  }
  return {};
}

}  // namespace

std::string checked_fft(const std::string& product, const ConvProblem& problem,
                        const OpenClLimits& limits, const std::shared_ptr<OpenClContext>& context) {
  const ConvProblem small = small_layer(problem);
  const FftGeometry geometry = choose_fft_geometry(problem);
  const std::string key =
      "fft+" + product + " " + small.describe() + ", padding " + std::to_string(small.padding.top) +
      "," + std::to_string(small.padding.left) + "," + std::to_string(small.padding.bottom) + "," +
      std::to_string(small.padding.right) + ", transforms " +
      std::to_string(geometry.vertical.size) + "x" + std::to_string(geometry.horizontal.size);
  const std::lock_guard lock(context->check_mutex());
  auto& checked = context->checked_products();
  const auto known = checked.find(key);
  if (known != checked.end()) return known->second;
  const auto check = [&] { return check_fft(product, small, geometry, limits, context); };
  return checked[key] = fault_after_checks(check, *context, "fft_transform.cl");
}

}  // namespace convoy
