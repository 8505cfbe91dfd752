// The element-wise loops of a training step, vectorised for whatever processor runs them.
//
// Each does in one pass over memory what a framework does in several, for the maps of one channel
// or a run of weights: these loops are bound by memory, so a pass saved is time saved. Thread-safe
// on distinct outputs. Results do not depend on the number of threads.
#pragma once

#include <cstddef>
#include <cstdint>

namespace convoy {

// The maps of one channel, [height][width][batch], before 2x2 pooling; after it they are
// [height / 2][width / 2][batch], an odd last row or column being left out. Of a larger batch only
// the first `pictures` may be worked on.
struct MapShape {
  std::size_t height = 0, width = 0, batch = 0;
  std::size_t pictures = batch;
  std::size_t size() const { return height * width * batch; }
  std::size_t pooled_size() const { return (height / 2) * (width / 2) * batch; }
};

// What pooling chose: 0 to 3 for the top left, top right, bottom left and bottom right value of a
// window, the first among equals; kNoChoice where ReLU left zero, through which no gradient flows.
inline constexpr std::uint8_t kNoChoice = 4;

// Where results go. kBypass is for a layer whose results are larger than the caches: faster, as
// nothing is read before it is overwritten, but whoever wants them next reads them from memory.
enum class CacheUse { kKeep, kBypass };
// Smaller results are still in the last-level cache when the next layer reads them.
inline CacheUse cache_use_for(std::size_t floats) {
  constexpr std::size_t kCachedBytes = std::size_t{8} << 20;
  return floats * sizeof(float) > kCachedBytes ? CacheUse::kBypass : CacheUse::kKeep;
}

// pooled = 2x2 maximum of max(0, maps + bias), and the choices (not kept when `choices` is null).
// A NaN stays one, as in PyTorch, so that a diverged training shows.
void bias_relu_pool(const float* maps, float bias, const MapShape& shape, CacheUse cache_use,
                    float* pooled, std::uint8_t* choices);

// The way back: grad_maps gets each window's gradient where the choice points and zeros elsewhere,
// also in the rows and columns that pooling left out. Returns the gradient of the bias.
double bias_relu_pool_backward(const float* grad_pooled, const std::uint8_t* choices,
                               const MapShape& shape, CacheUse cache_use, float* grad_maps);

// velocity = momentum * velocity + (gradient + weight_decay * weight);
// weight = weight - learning_rate * velocity.
struct SgdFactors {
  float learning_rate = 0, momentum = 0, weight_decay = 0;
};
void sgd_update(const SgdFactors& factors, const float* gradient, std::size_t count,
                float* velocity, float* weight);

}  // namespace convoy
