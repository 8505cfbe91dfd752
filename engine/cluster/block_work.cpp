#include "engine/cluster/block_work.h"

#include <algorithm>

#include "engine/base/rounding.h"

namespace convoy {

MapShape output_shape(const ConvProblem& problem) {
  return {static_cast<std::size_t>(problem.out_height()),
          static_cast<std::size_t>(problem.out_width()), static_cast<std::size_t>(problem.batch)};
}

void pool_layer(Device& device, const ConvProblem& problem, Range pictures, const float* maps,
                const float* bias, float* pooled, std::uint8_t* choices, const StopToken* stop) {
  MapShape shape = output_shape(problem);
  shape.pictures = pictures.size();
  const CacheUse cache_use = cache_use_for(problem.pooled_size());
  device.for_each(
      static_cast<std::size_t>(problem.out_channels),
      [&](std::size_t channel) {
        const std::size_t at = channel * shape.pooled_size() + pictures.begin;
        bias_relu_pool(maps + channel * shape.size() + pictures.begin, bias[channel], shape,
                       cache_use, pooled + at, choices ? choices + at : nullptr);
      },
      stop);
}

void unpool_layer(Device& device, const ConvProblem& problem, Range pictures,
                  const float* grad_pooled, const std::uint8_t* choices, float* grad_maps,
                  float* grad_bias, const StopToken* stop) {
  MapShape shape = output_shape(problem);
  shape.pictures = pictures.size();
  const CacheUse cache_use = cache_use_for(problem.output_size());
  device.for_each(
      static_cast<std::size_t>(problem.out_channels),
      [&](std::size_t channel) {
        const std::size_t at = channel * shape.pooled_size() + pictures.begin;
        const auto sum = static_cast<float>(
            bias_relu_pool_backward(grad_pooled + at, choices + at, shape, cache_use,
                                    grad_maps + channel * shape.size() + pictures.begin));
        grad_bias[channel] = pictures.begin == 0 ? sum : grad_bias[channel] + sum;
      },
      stop);
}

void update_weights(Device& device, const SgdFactors& factors, const float* gradient,
                    std::size_t count, float* velocity, float* weight, const StopToken* stop) {
  constexpr std::size_t kPiece = std::size_t{1} << 16;
  device.for_each(
      ceil_div(count, kPiece),
      [&](std::size_t i) {
        const std::size_t at = i * kPiece;
        sgd_update(factors, gradient + at, std::min(kPiece, count - at), velocity + at,
                   weight + at);
      },
      stop);
}

}  // namespace convoy
