#include "engine/network/thin_layer.h"

#include <algorithm>

#include "engine/tensor/prefetch.h"

// Highway compiles this file once for each instruction set and picks one when the program runs.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "engine/network/thin_layer.cpp"

#include <hwy/foreach_target.h>
// After foreach_target.h, as Highway wants it.
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace convoy::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

// A run of pictures is done with full vectors, then with four lanes, then one by one.
using Full = hn::CappedTag<float, 16>;
using Four = hn::CappedTag<float, 4>;
using One = hn::CappedTag<float, 1>;

// Tiles of so many classes and four vectors or features fill the registers.
#if HWY_TARGET <= HWY_AVX3 || HWY_ARCH_ARM_A64
constexpr int kClasses = 5;
#else
constexpr int kClasses = 2;
#endif
constexpr int kWide = 4;

// Features are asked for so many ahead of their use.
constexpr std::size_t kAhead = 32;

struct Classes {
  std::size_t first;
  int count;  // 1 to kClasses
};

// Calls work.run<count>(first) with a count known to the compiler.
template <int kCount, class Work>
void with_count(const Classes& classes, const Work& work) {
  if (classes.count == kCount)
    work.template run<kCount>(classes.first);
  else if constexpr (kCount > 1)
    with_count<kCount - 1>(classes, work);
}

template <class Work>
void for_each_class(const ThinLayer& layer, const Work& work) {
  for (std::size_t first = 0; first < layer.classes; first += kClasses)
    with_count<kClasses>(
        {first, static_cast<int>(std::min<std::size_t>(kClasses, layer.classes - first))}, work);
}

#if HWY_TARGET != HWY_SCALAR  // whose vectors have one lane
// Lane by lane the sums of a's and b's halves of each four: a0+a2, b0+b2, a1+a3, b1+b3.
template <class D, class V>
HWY_INLINE V fold(D d, V a, V b) {
  return hn::Add(hn::InterleaveLower(d, a, b), hn::InterleaveUpper(d, a, b));
}
// Adds up the fours of a vector.
HWY_INLINE hn::Vec<Four> sum_of_fours(Four, hn::Vec<Four> v) {
  return v;
}
template <class D>
HWY_INLINE hn::Vec<Four> sum_of_fours(D d, hn::Vec<D> v) {
  const hn::Half<D> half;
  return sum_of_fours(half, hn::Add(hn::LowerHalf(half, v), hn::UpperHalf(half, v)));
}
// Adds the sums of four vectors' lanes to four neighbours. A quarter of the work of one by one.
template <class D>
HWY_INLINE void add_sums(D d, const hn::Vec<D> (&v)[kWide], float* sums) {
  const auto all = sum_of_fours(d, fold(d, fold(d, v[0], v[2]), fold(d, v[1], v[3])));
  hn::StoreU(hn::Add(hn::LoadU(Four(), sums), all), Four(), sums);
}
#endif
template <class D>
HWY_INLINE void add_sums(D d, const hn::Vec<D> (&v)[1], float* sums) {
  *sums += hn::GetLane(hn::SumOfLanes(d, v[0]));
}
HWY_INLINE void add_sums(One, const hn::Vec<One> (&v)[kWide], float* sums) {
  for (int f = 0; f < kWide; ++f) sums[f] += hn::GetLane(v[f]);
}

// Every lane the same weight.
template <class D, int kCount, int kFeatures>
HWY_INLINE void spread(D d, const ThinLayer& layer, const float* weight, std::size_t first,
                       hn::Vec<D> (&weights)[kCount][kFeatures]) {
  for (int c = 0; c < kCount; ++c)
    for (int f = 0; f < kFeatures; ++f)
      weights[c][f] = hn::Set(d, weight[(first + c) * layer.weight_stride + f]);
}

// Work for for_each_class(): work.pictures<kCount>(d, first, n) does those from `n` on that fill
// its vectors, and returns the next.
template <class Work>
struct OverPictures {
  Work work;

  template <int kCount>
  void run(std::size_t first) const {
    std::size_t n = work.template pictures<kCount>(Full(), first, 0);
    n = work.template pictures<kCount>(Four(), first, n);
    work.template pictures<kCount>(One(), first, n);
  }
};

// What a few features add to the logits.
template <int kFeatures>
struct Logits {
  const ThinLayer& layer;
  const float* features;
  const float* weight;
  float* logits;

  template <int kCount, class D>
  HWY_INLINE std::size_t pictures(D d, std::size_t first, std::size_t n) const {
    const std::size_t lanes = hn::Lanes(d), batch = layer.batch;
    hn::Vec<D> weights[kCount][kFeatures];
    spread(d, layer, weight, first, weights);
    for (; n + lanes <= batch; n += lanes) {
      hn::Vec<D> values[kFeatures];
      for (int f = 0; f < kFeatures; ++f) values[f] = hn::LoadU(d, features + f * batch + n);
      for (int c = 0; c < kCount; ++c) {
        float* const at = logits + (first + c) * batch + n;
        auto sum = hn::LoadU(d, at);
        for (int f = 0; f < kFeatures; ++f) sum = hn::MulAdd(weights[c][f], values[f], sum);
        hn::StoreU(sum, d, at);
      }
    }
    return n;
  }
};

void forward_all(const ThinLayer& layer, const float* features, const float* weight,
                 float* logits) {
  std::fill_n(logits, layer.classes * layer.batch, 0.0f);
  std::size_t f = 0;
  for (; f + kWide <= layer.count; f += kWide) {
    const float* rows = features + f * layer.batch;
    prefetch(rows + kAhead * layer.batch, kWide * layer.batch * sizeof(float));
    for_each_class(layer, OverPictures<Logits<kWide>>{{layer, rows, weight + f, logits}});
  }
  for (; f < layer.count; ++f)
    for_each_class(
        layer, OverPictures<Logits<1>>{{layer, features + f * layer.batch, weight + f, logits}});
}

// grad_weight of a few features, whose rows are then in the first-level cache.
template <int kFeatures>
struct WeightGradient {
  const ThinLayer& layer;
  const float* grad_logits;
  const float* features;
  float* grad_weight;

  template <int kCount>
  void run(std::size_t first) const {
    float sums[kCount][kFeatures] = {};
    std::size_t n = dots<kCount>(Full(), first, 0, sums);
    n = dots<kCount>(Four(), first, n, sums);
    dots<kCount>(One(), first, n, sums);
    for (int c = 0; c < kCount; ++c)
      std::copy_n(sums[c], kFeatures, grad_weight + (first + c) * layer.weight_stride);
  }

  template <int kCount, class D>
  HWY_INLINE std::size_t dots(D d, std::size_t first, std::size_t n,
                              float (&sums)[kCount][kFeatures]) const {
    const std::size_t lanes = hn::Lanes(d), batch = layer.batch;
    if (n + lanes > batch) return n;
    hn::Vec<D> products[kCount][kFeatures];
    for (int c = 0; c < kCount; ++c)
      for (int f = 0; f < kFeatures; ++f) products[c][f] = hn::Zero(d);
    for (; n + lanes <= batch; n += lanes) {
      hn::Vec<D> values[kFeatures];
      for (int f = 0; f < kFeatures; ++f) values[f] = hn::LoadU(d, features + f * batch + n);
      for (int c = 0; c < kCount; ++c) {
        const auto g = hn::LoadU(d, grad_logits + (first + c) * batch + n);
        for (int f = 0; f < kFeatures; ++f)
          products[c][f] = hn::MulAdd(g, values[f], products[c][f]);
      }
    }
    for (int c = 0; c < kCount; ++c) add_sums(d, products[c], sums[c]);
    return n;
  }
};

// The gradient of a few features takes their place.
template <int kFeatures>
struct FeatureGradient {
  const ThinLayer& layer;
  const float* grad_logits;
  const float* weight;
  float* features;

  template <int kCount, class D>
  HWY_INLINE std::size_t pictures(D d, std::size_t first, std::size_t n) const {
    const std::size_t lanes = hn::Lanes(d), batch = layer.batch;
    hn::Vec<D> weights[kCount][kFeatures];
    spread(d, layer, weight, first, weights);
    for (; n + lanes <= batch; n += lanes) {
      hn::Vec<D> sums[kFeatures];
      for (int f = 0; f < kFeatures; ++f)
        sums[f] = first == 0 ? hn::Zero(d) : hn::LoadU(d, features + f * batch + n);
      for (int c = 0; c < kCount; ++c) {
        const auto g = hn::LoadU(d, grad_logits + (first + c) * batch + n);
        for (int f = 0; f < kFeatures; ++f) sums[f] = hn::MulAdd(g, weights[c][f], sums[f]);
      }
      for (int f = 0; f < kFeatures; ++f) hn::StoreU(sums[f], d, features + f * batch + n);
    }
    return n;
  }
};

template <int kFeatures>
void backward_features(const ThinLayer& layer, const float* grad_logits, const float* weight,
                       float* features, float* grad_weight) {
  for_each_class(layer, WeightGradient<kFeatures>{layer, grad_logits, features, grad_weight});
  for_each_class(layer,
                 OverPictures<FeatureGradient<kFeatures>>{{layer, grad_logits, weight, features}});
}

void backward_all(const ThinLayer& layer, const float* grad_logits, const float* weight,
                  float* features, float* grad_weight) {
  std::size_t f = 0;
  for (; f + kWide <= layer.count; f += kWide) {
    float* rows = features + f * layer.batch;
    prefetch(rows + kAhead * layer.batch, kWide * layer.batch * sizeof(float));
    backward_features<kWide>(layer, grad_logits, weight + f, rows, grad_weight + f);
  }
  for (; f < layer.count; ++f)
    backward_features<1>(layer, grad_logits, weight + f, features + f * layer.batch,
                         grad_weight + f);
}

}  // namespace convoy::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace convoy {

HWY_EXPORT(forward_all);
HWY_EXPORT(backward_all);

void thin_forward(const ThinLayer& layer, const float* features, const float* weight,
                  float* logits) {
  HWY_DYNAMIC_DISPATCH(forward_all)(layer, features, weight, logits);
}

void thin_backward(const ThinLayer& layer, const float* grad_logits, const float* weight,
                   float* features, float* grad_weight) {
  HWY_DYNAMIC_DISPATCH(backward_all)(layer, grad_logits, weight, features, grad_weight);
}

}  // namespace convoy
#endif
