// Whether pooling and its way back are right on a device.

#include <cmath>
#include <cstring>
#include <limits>
#include <vector>

#include "engine/base/random.h"
#include "engine/device/opencl_pooling.h"
#include "engine/tensor/elementwise.h"

namespace convoy {
namespace {

// Odd maps, and a batch that fills no vectors.
ConvProblem odd_layer() {
  ConvProblem problem;
  problem.batch = 37;
  problem.in_height = 5;
  problem.in_width = 7;
  problem.out_channels = 3;
  return problem;
}

// With all that the rules speak of: equals, zeros of both signs, what the bias makes zero or
// negative, infinities and NaN.
std::vector<float> telling_values(std::size_t count, Random& random) {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
  std::vector<float> values(count);
  for (float& value : values) switch (random.below(40)) {
      case 0:
        value = kNan;
        break;
      case 1:
        value = kInfinity;
        break;
      case 2:
        value = -kInfinity;
        break;
      case 3:
        value = -0.0f;
        break;
      default:
        value = static_cast<float>(random.below(9)) - 5.0f;
    }
  return values;
}

std::vector<float> whole_numbers(std::size_t count, Random& random) {
  std::vector<float> values(count);
  for (float& value : values) value = static_cast<float>(random.below(9)) + 1.0f;
  return values;
}

// To the bit; of a NaN nothing more is asked than to be one.
bool same(const std::vector<float>& found, const std::vector<float>& expected) {
  for (std::size_t i = 0; i < expected.size(); ++i)
    if (!(std::isnan(found[i]) && std::isnan(expected[i])) &&
        std::memcmp(&found[i], &expected[i], sizeof(float)) != 0)
      return false;
  return true;
}

// The layer on the host.
struct Expected {
  std::vector<float> pooled, grad_maps, grad_bias;

  Expected(const ConvProblem& problem, const std::vector<float>& maps,
           const std::vector<float>& bias, const std::vector<float>& grad_pooled)
      : pooled(problem.pooled_size()), grad_maps(problem.output_size()), grad_bias(bias.size()) {
    const MapShape shape{static_cast<std::size_t>(problem.out_height()),
                         static_cast<std::size_t>(problem.out_width()),
                         static_cast<std::size_t>(problem.batch)};
    std::vector<std::uint8_t> choices(pooled.size());
    for (std::size_t k = 0; k < bias.size(); ++k) {
      const std::size_t at = k * shape.pooled_size();
      bias_relu_pool(maps.data() + k * shape.size(), bias[k], shape, CacheUse::kKeep,
                     pooled.data() + at, choices.data() + at);
      grad_bias[k] = static_cast<float>(
          bias_relu_pool_backward(grad_pooled.data() + at, choices.data() + at, shape,
                                  CacheUse::kKeep, grad_maps.data() + k * shape.size()));
    }
  }
};

// The layer on the device in blocks of pictures and kernels, the kernels of a block some at a time.
std::string check_pooling(const std::shared_ptr<OpenClContext>& context) {
  const ConvProblem problem = odd_layer();
  Random random(20241);
  const std::vector<float> maps = telling_values(problem.output_size(), random);
  const std::vector<float> bias = {0.0f, 1.5f, -0.25f};
  const std::vector<float> grad_pooled = whole_numbers(problem.pooled_size(), random);
  const Expected expected(problem, maps, bias, grad_pooled);

  const ClQueue queue = context->make_queue();
  OpenClPooling pooling(context, problem);
  GrowingBuffer maps_block, pooled_block, sums;
  std::vector<float> pooled(problem.pooled_size()), grad_maps(problem.output_size());
  std::vector<float> grad_bias(bias.size());
  const auto for_some = [](const OpenClBlock& kernels, const auto& work) {
    for_blocks(kernels.count, 1, work);
  };
  const auto for_all = [&](const auto& work) {
    for_blocks(problem.batch, 20, [&](const OpenClBlock& pictures) {
      for_blocks(problem.out_channels, 2, [&](const OpenClBlock& kernels) {
        const HostPart unpooled_at = output_part(problem, pictures, kernels);
        const HostPart pooled_at = pooled_part(problem, pictures, kernels);
        const cl_mem unpooled = maps_block.reserve(*context, unpooled_at.bytes());
        const cl_mem small = pooled_block.reserve(*context, pooled_at.bytes());
        work(pictures, kernels, unpooled, unpooled_at, small, pooled_at);
      });
    });
  };

  OpenClRunningPass running(*context, queue.get(), 0, nullptr);
  pooling.set_bias(bias.data(), true);
  pooling.begin_forward({0, problem.batch}, running);
  for_all([&](const OpenClBlock& pictures, const OpenClBlock& kernels, cl_mem unpooled,
              const HostPart& unpooled_at, cl_mem small, const HostPart& pooled_at) {
    running.upload(unpooled, maps.data(), unpooled_at);
    for_some(kernels, [&](const OpenClBlock& some) {
      pooling.pool(queue.get(), unpooled, small, pictures, kernels, some);
    });
    running.download(small, pooled.data(), pooled_at);
  });
  pooling.end_forward({0, problem.batch});
  if (!same(pooled, expected.pooled)) return "pooled maps are wrong";

  const cl_mem grad_bias_buffer = sums.reserve(*context, bias_part(problem).bytes());
  for_all([&](const OpenClBlock& pictures, const OpenClBlock& kernels, cl_mem unpooled,
              const HostPart& unpooled_at, cl_mem small, const HostPart& pooled_at) {
    running.upload(small, grad_pooled.data(), pooled_at);
    for_some(kernels, [&](const OpenClBlock& some) {
      pooling.unpool(queue.get(), small, unpooled, grad_bias_buffer, pictures, kernels, some);
    });
    running.download(unpooled, grad_maps.data(), unpooled_at);
  });
  running.download(grad_bias_buffer, grad_bias.data(), bias_part(problem));
  if (!same(grad_maps, expected.grad_maps)) return "the gradient of maps is wrong";
  if (!same(grad_bias, expected.grad_bias)) return "the bias' gradient is wrong";
  return {};
}

}  // namespace

std::string checked_pooling(const std::shared_ptr<OpenClContext>& context) {
  const std::lock_guard lock(context->check_mutex());
  auto& checked = context->checked_products();
  const auto known = checked.find("pooling");
  if (known != checked.end()) return known->second;
  return checked["pooling"] =
             fault_after_checks([&] { return check_pooling(context); }, *context, "pooling.cl");
}

}  // namespace convoy
