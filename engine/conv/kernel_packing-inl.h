// Packs weights as the left factor of backward-data; included once for each instruction set.

#if defined(CONVOY_ENGINE_CONV_KERNEL_PACKING_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef CONVOY_ENGINE_CONV_KERNEL_PACKING_INL_H_
#undef CONVOY_ENGINE_CONV_KERNEL_PACKING_INL_H_
#else
#define CONVOY_ENGINE_CONV_KERNEL_PACKING_INL_H_
#endif

#include <hwy/highway.h>

#include <algorithm>

#include "engine/conv/conv_problem.h"
#include "engine/conv/factor_packing-inl.h"
#include "engine/conv/product_panel.h"

HWY_BEFORE_NAMESPACE();
namespace convoy::HWY_NAMESPACE {

// The kernels as the left factor of backward-data: side `c`, inner (k, i, j).
class KernelPacker {
 public:
  static constexpr std::size_t kPlanes = 1;
  KernelPacker(const float* weight, std::size_t channels, std::size_t taps)
      : weight_(weight), channels_(channels), taps_(taps) {}

  HWY_INLINE void pack(std::size_t first, std::size_t count, const Range& inner,
                       const Panel& panel) const {
    for (std::size_t at = inner.begin; at < inner.end;) {
      const std::size_t kernel = at / taps_, tap = at % taps_;
      const std::size_t taps = std::min(taps_ - tap, inner.end - at);
      const Factor factor{weight_ + kernel * channels_ * taps_, nullptr, taps_, Transpose::kNo};
      pack_columns<Itself>(factor, first * taps_ + tap, count,
                           {panel.data + (at - inner.begin) * panel.width, panel.width, taps});
      at += taps;
    }
  }
  // What lies side by side, the processor foresees.
  HWY_INLINE void prefetch(std::size_t, std::size_t, const Range&, std::size_t, std::size_t) const {
  }

 private:
  const float* const weight_;
  const std::size_t channels_, taps_;
};

// Calls work(packer) for the kernels as the left factor of backward-data, from channel `first` on.
template <class Work>
HWY_INLINE void with_kernels(const ConvProblem& p, const float* weight, std::size_t first,
                             const Work& work) {
  const auto taps = static_cast<std::size_t>(p.kernel_height) * p.kernel_width;
  const auto channels = static_cast<std::size_t>(p.in_channels);
  if (taps == 1)
    work(FactorPacker<Itself>({weight + first, nullptr, channels, Transpose::kYes}, true));
  else
    work(KernelPacker(weight + first * taps, channels, taps));
}

}  // namespace convoy::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
