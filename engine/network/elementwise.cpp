#include "engine/network/elementwise.h"

#include <cstdint>
#include <cstring>

// Highway compiles this file once for each instruction set and picks one when the program runs.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "engine/network/elementwise.cpp"

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

template <class D>
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
    hn::StoreU(hn::IfThenZeroElse(off, most), d, pooled + n);
    if (choices) {
      choice = hn::IfThenElse(hn::RebindMask(di, off), hn::Set(di, int{kNoChoice}), choice);
      hn::StoreU(hn::DemoteTo(du8, choice), du8, choices + n);
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

void pool_channel(const float* maps, float bias, const MapShape& shape, float* pooled,
                  std::uint8_t* choices) {
  for (std::size_t row = 0; row < shape.height / 2; ++row)
    for (std::size_t column = 0; column < shape.width / 2; ++column) {
      const Window<const float> window(maps, shape, row, column);
      std::size_t n = pool_run(Full(), window, bias, shape.batch, 0, pooled, choices);
      n = pool_run(Four(), window, bias, shape.batch, n, pooled, choices);
      pool_run(One(), window, bias, shape.batch, n, pooled, choices);
      pooled += shape.batch;
      if (choices) choices += shape.batch;
    }
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
      const std::size_t batch = shape.batch;
      std::size_t n =
          unpool_run<kCacheUse>(Full(), grad_pooled, choices, batch, 0, window, full_sum);
      n = unpool_run<CacheUse::kKeep>(Four(), grad_pooled, choices, batch, n, window, four_sum);
      unpool_run<CacheUse::kKeep>(One(), grad_pooled, choices, batch, n, window, one_sum);
      grad_pooled += batch;
      choices += batch;
    }
    if (shape.width % 2 != 0)
      for (std::size_t below = 0; below < 2; ++below)
        std::memset(grad_maps + (2 * row + below + 1) * row_size - shape.batch, 0,
                    shape.batch * sizeof(float));
    total += static_cast<double>(hn::GetLane(hn::SumOfLanes(Full(), full_sum))) +
             static_cast<double>(hn::GetLane(hn::SumOfLanes(Four(), four_sum))) +
             static_cast<double>(hn::GetLane(one_sum));
  }
  if (shape.height % 2 != 0)
    std::memset(grad_maps + (shape.height - 1) * row_size, 0, row_size * sizeof(float));
  return total;
}

double unpool_channel(const float* grad_pooled, const std::uint8_t* choices, const MapShape& shape,
                      CacheUse cache_use, float* grad_maps) {
  // Stores past the caches need alignment, which whole vectors from an aligned start keep.
  const std::size_t lanes = hn::Lanes(Full());
  const bool aligned = shape.batch % lanes == 0 &&
                       reinterpret_cast<std::uintptr_t>(grad_maps) % (lanes * sizeof(float)) == 0;
  if (cache_use == CacheUse::kKeep || !aligned)
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

void bias_relu_pool(const float* maps, float bias, const MapShape& shape, float* pooled,
                    std::uint8_t* choices) {
  HWY_DYNAMIC_DISPATCH(pool_channel)(maps, bias, shape, pooled, choices);
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
