#include "engine/tensor/elementwise.h"

#include <cstdint>
#include <cstring>

#include "engine/tensor/prefetch.h"

// Highway compiles this file once for each instruction set and picks one when the program runs.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "engine/tensor/elementwise.cpp"

#include <hwy/foreach_target.h>
// After foreach_target.h, as Highway wants it.
#include <hwy/cache_control.h>
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace convoy::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

// A run of `batch` neighbours is done with full vectors, then with four lanes, then one by one, all
// through the same code: no tail can differ from the rest in its treatment of ties, zeros and NaN.
using Full = hn::ScalableTag<float>;
using Four = hn::CappedTag<float, 4>;
using One = hn::CappedTag<float, 1>;

// The pointers to a window's four values (of picture 0), in scan order.
template <class Float>
struct Window {
  Window(Float* maps, const MapShape& shape, std::size_t row, std::size_t column) {
    value[0] = maps + (2 * row * shape.width + 2 * column) * shape.batch;
    value[1] = value[0] + shape.batch;
    value[2] = value[0] + shape.width * shape.batch;
    value[3] = value[2] + shape.batch;
  }
  Float* value[4];
};

// Both handle pictures `n`, n + lanes, ... of one window and return the first that they leave.

template <CacheUse kCacheUse, class D>
HWY_INLINE std::size_t pool_run(D d, const Window<const float>& window, float bias,
                                std::size_t batch, std::size_t n, float* pooled,
                                std::uint8_t* choices) {
  const hn::RebindToSigned<D> di;
  const hn::Rebind<std::uint8_t, D> du8;
  const auto bias_lanes = hn::Set(d, bias);
  for (; n + hn::Lanes(d) <= batch; n += hn::Lanes(d)) {
    auto most = hn::Add(hn::LoadU(d, window.value[0] + n), bias_lanes);
    auto choice = hn::Zero(di);
    for (int i = 1; i < 4; ++i) {
      const auto value = hn::Add(hn::LoadU(d, window.value[i] + n), bias_lanes);
      const auto wins = hn::Or(hn::Gt(value, most), hn::IsNaN(value));
      most = hn::IfThenElse(wins, value, most);
      choice = hn::IfThenElse(hn::RebindMask(di, wins), hn::Set(di, i), choice);
    }
    const auto off = hn::Le(most, hn::Zero(d));
    const auto rectified = hn::IfThenZeroElse(off, most);
    if constexpr (kCacheUse == CacheUse::kBypass)
      hn::Stream(rectified, d, pooled + n);
    else
      hn::StoreU(rectified, d, pooled + n);
    if (choices) {
      choice = hn::IfThenElse(hn::RebindMask(di, off), hn::Set(di, int{kNoChoice}), choice);
      const auto bytes = hn::DemoteTo(du8, choice);
      // Stores past the caches exist for whole vectors only, of 16 bytes at least.
      if constexpr (kCacheUse == CacheUse::kBypass && hn::MaxLanes(du8) == 16)
        hn::Stream(bytes, du8, choices + n);
      else
        hn::StoreU(bytes, du8, choices + n);
    }
  }
  return n;
}

template <CacheUse kCacheUse, class D, class V>
HWY_INLINE std::size_t unpool_run(D d, const float* grad_pooled, const std::uint8_t* choices,
                                  std::size_t batch, std::size_t n, const Window<float>& window,
                                  V& sum) {
  const hn::RebindToSigned<D> di;
  const hn::Rebind<std::uint8_t, D> du8;
  for (; n + hn::Lanes(d) <= batch; n += hn::Lanes(d)) {
    const auto gradient = hn::LoadU(d, grad_pooled + n);
    const auto choice = hn::PromoteTo(di, hn::LoadU(du8, choices + n));
    for (int i = 0; i < 4; ++i) {
      const auto chosen = hn::RebindMask(d, hn::Eq(choice, hn::Set(di, i)));
      const auto own = hn::IfThenElseZero(chosen, gradient);
      if constexpr (kCacheUse == CacheUse::kBypass)
        hn::Stream(own, d, window.value[i] + n);
      else
        hn::StoreU(own, d, window.value[i] + n);
    }
    const auto off = hn::RebindMask(d, hn::Eq(choice, hn::Set(di, int{kNoChoice})));
    sum = hn::Add(sum, hn::IfThenZeroElse(off, gradient));
  }
  return n;
}

template <CacheUse kCacheUse>
void pool_maps(const float* maps, float bias, const MapShape& shape, float* pooled,
               std::uint8_t* choices) {
  const std::size_t batch = shape.batch, pictures = shape.pictures;
  for (std::size_t row = 0; row < shape.height / 2; ++row) {
    const float* next = maps + 2 * (row + 1) * shape.width * batch;
    for (std::size_t column = 0; column < shape.width / 2; ++column) {
      // A window's four values lie in two rows, an order in which the processor's own prefetchers
      // reach half of the bandwidth; so the next two rows are asked for, from left to right. After
      // the last row these are the next channel's.
      if (pictures == batch) prefetch(next + 4 * column * batch, 4 * batch * sizeof(float));
      const Window<const float> window(maps, shape, row, column);
      std::size_t n = pool_run<kCacheUse>(Full(), window, bias, pictures, 0, pooled, choices);
      n = pool_run<CacheUse::kKeep>(Four(), window, bias, pictures, n, pooled, choices);
      pool_run<CacheUse::kKeep>(One(), window, bias, pictures, n, pooled, choices);
      pooled += batch;
      if (choices) choices += batch;
    }
  }
}

// Stores past the caches need alignment, which whole vectors from an aligned start keep.
template <class T>
bool may_bypass(CacheUse cache_use, const MapShape& shape, const T* results) {
  const std::size_t lanes = hn::Lanes(Full());
  return cache_use == CacheUse::kBypass && shape.batch % lanes == 0 &&
         reinterpret_cast<std::uintptr_t>(results) % (lanes * sizeof(T)) == 0;
}

void pool_channel(const float* maps, float bias, const MapShape& shape, CacheUse cache_use,
                  float* pooled, std::uint8_t* choices) {
  if (!may_bypass(cache_use, shape, pooled) || !may_bypass(cache_use, shape, choices))
    return pool_maps<CacheUse::kKeep>(maps, bias, shape, pooled, choices);
  pool_maps<CacheUse::kBypass>(maps, bias, shape, pooled, choices);
  hwy::FlushStream();  // other threads read the results next
}

template <CacheUse kCacheUse>
double unpool_maps(const float* grad_pooled, const std::uint8_t* choices, const MapShape& shape,
                   float* grad_maps) {
  const std::size_t row_size = shape.width * shape.batch;
  double total = 0.0;
  for (std::size_t row = 0; row < shape.height / 2; ++row) {
    // Single precision only within a row, so that large maps and batches lose nothing.
    auto full_sum = hn::Zero(Full());
    auto four_sum = hn::Zero(Four());
    auto one_sum = hn::Zero(One());
    for (std::size_t column = 0; column < shape.width / 2; ++column) {
      const Window<float> window(grad_maps, shape, row, column);
      const std::size_t count = shape.pictures;
      std::size_t n =
          unpool_run<kCacheUse>(Full(), grad_pooled, choices, count, 0, window, full_sum);
      n = unpool_run<CacheUse::kKeep>(Four(), grad_pooled, choices, count, n, window, four_sum);
      unpool_run<CacheUse::kKeep>(One(), grad_pooled, choices, count, n, window, one_sum);
      grad_pooled += shape.batch;
      choices += shape.batch;
    }
    if (shape.width % 2 != 0)
      for (std::size_t below = 0; below < 2; ++below)
        std::memset(grad_maps + (2 * row + below + 1) * row_size - shape.batch, 0,
                    shape.pictures * sizeof(float));
    total += static_cast<double>(hn::GetLane(hn::SumOfLanes(Full(), full_sum))) +
             static_cast<double>(hn::GetLane(hn::SumOfLanes(Four(), four_sum))) +
             static_cast<double>(hn::GetLane(one_sum));
  }
  if (shape.height % 2 != 0)
    for (std::size_t column = 0; column < shape.width; ++column)
      std::memset(grad_maps + (shape.height - 1) * row_size + column * shape.batch, 0,
                  shape.pictures * sizeof(float));
  return total;
}

double unpool_channel(const float* grad_pooled, const std::uint8_t* choices, const MapShape& shape,
                      CacheUse cache_use, float* grad_maps) {
  if (!may_bypass(cache_use, shape, grad_maps))
    return unpool_maps<CacheUse::kKeep>(grad_pooled, choices, shape, grad_maps);
  const double grad_bias = unpool_maps<CacheUse::kBypass>(grad_pooled, choices, shape, grad_maps);
  hwy::FlushStream();  // other threads read the maps next
  return grad_bias;
}

template <class D>
HWY_INLINE std::size_t sgd_run(D d, const SgdFactors& factors, const float* gradient,
                               std::size_t count, std::size_t i, float* velocity, float* weight) {
  const auto momentum = hn::Set(d, factors.momentum);
  const auto decay = hn::Set(d, factors.weight_decay);
  const auto rate = hn::Set(d, factors.learning_rate);
  for (; i + hn::Lanes(d) <= count; i += hn::Lanes(d)) {
    const auto w = hn::LoadU(d, weight + i);
    const auto g = hn::MulAdd(decay, w, hn::LoadU(d, gradient + i));
    const auto v = hn::MulAdd(momentum, hn::LoadU(d, velocity + i), g);
    hn::StoreU(v, d, velocity + i);
    hn::StoreU(hn::NegMulAdd(rate, v, w), d, weight + i);
  }
  return i;
}

void sgd_weights(const SgdFactors& factors, const float* gradient, std::size_t count,
                 float* velocity, float* weight) {
  const std::size_t i = sgd_run(Full(), factors, gradient, count, 0, velocity, weight);
  sgd_run(One(), factors, gradient, count, i, velocity, weight);
}

}  // namespace convoy::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace convoy {

HWY_EXPORT(pool_channel);
HWY_EXPORT(unpool_channel);
HWY_EXPORT(sgd_weights);

void bias_relu_pool(const float* maps, float bias, const MapShape& shape, CacheUse cache_use,
                    float* pooled, std::uint8_t* choices) {
  HWY_DYNAMIC_DISPATCH(pool_channel)(maps, bias, shape, cache_use, pooled, choices);
}

double bias_relu_pool_backward(const float* grad_pooled, const std::uint8_t* choices,
                               const MapShape& shape, CacheUse cache_use, float* grad_maps) {
  return HWY_DYNAMIC_DISPATCH(unpool_channel)(grad_pooled, choices, shape, cache_use, grad_maps);
}

void sgd_update(const SgdFactors& factors, const float* gradient, std::size_t count,
                float* velocity, float* weight) {
  HWY_DYNAMIC_DISPATCH(sgd_weights)(factors, gradient, count, velocity, weight);
}

}  // namespace convoy
#endif
