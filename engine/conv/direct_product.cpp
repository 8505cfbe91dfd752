#include "engine/conv/direct_product.h"

// Highway compiles this file once for each instruction set and picks one when the program runs.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "engine/conv/direct_product.cpp"

#include <hwy/foreach_target.h>
// After foreach_target.h, as Highway wants it.
#include <hwy/cache_control.h>
#include <hwy/highway.h>

#include <algorithm>
#include <utility>

#include "engine/base/rounding.h"
#include "engine/conv/product_tiles-inl.h"
#include "engine/conv/weight_packing-inl.h"

HWY_BEFORE_NAMESPACE();
namespace convoy::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

void pack(const ConvProblem& p, Pass pass, const float* weight, const Range& rows, float* packed,
          std::size_t share, std::size_t shares) {
  const std::size_t kernels = pass == Pass::kForward ? p.in_channels : p.out_channels;
  const std::size_t inner = kernels * p.kernel_height * p.kernel_width;
  with_weights(p, pass, weight, rows.begin, [&](const auto& packer) HWY_ATTR {
    for_parts(rows.size(), 1, kRows, [&](const Part& part) HWY_ATTR {
      if (part.index * shares / part.of == share)
        packer.pack(part.first, part.count, {0, inner},
                    {packed + part.first * inner, part.width, inner});
    });
  });
}

// Vectors of neighbouring places that a tile takes at once: two, or more where there are few rows.
constexpr std::size_t kMostVectors = 4;

struct Places {
  const float* from[kMostVectors];  // whichever runs they lie in
  float* to[kMostVectors];
  std::size_t columns;  // of each vector
};

// What successive taps multiply with them.
template <std::size_t kV>
struct MapVectors {
  const Places& places;
  const std::int32_t* HWY_RESTRICT offset;

  HWY_INLINE void next(Vector (&right)[kV]) {
    const Lanes d;
    HWY_UNROLL(4)
    for (std::size_t v = 0; v < kV; ++v) right[v] = hn::LoadU(d, places.from[v] + *offset);
    ++offset;
  }
};

// `to` is how far the tile's first row lies from the places' own.
template <std::size_t kR, std::size_t kV>
void sum_tile(const DirectLayout& layout, const float* a, const Places& places, std::size_t to,
              bool stream, float* work) {
  const std::size_t inner = layout.offsets.size();
  Tile<kR, kV> tile;
  std::size_t k = 0;
  do {
    const std::size_t run = std::min(kInnerRun, inner - k);
    tile.multiply(a + k * kR, MapVectors<kV>{places, &layout.offsets[k]}, run);
    if (k > 0) tile.add(work);
    k += run;
    if (k < inner) tile.keep(work);
  } while (k < inner);
  HWY_UNROLL(12)
  for (std::size_t r = 0; r < kR; ++r) {
    HWY_UNROLL(4)
    for (std::size_t v = 0; v < kV; ++v)
      tile.write(tile.sums[r][v], places.to[v] + to + r * layout.map(), places.columns, false,
                 stream);
  }
}

// sum_tile() for one row, two rows, ...
template <std::size_t kV, std::size_t... kRowsLess1>
HWY_INLINE auto sum_tile_of(std::size_t rows, std::index_sequence<kRowsLess1...>) {
  constexpr decltype(&sum_tile<1, kV>) tiles[] = {sum_tile<kRowsLess1 + 1, kV>...};
  return tiles[rows - 1];
}

template <std::size_t kV>
HWY_INLINE void sum_rows(const DirectLayout& layout, const DirectSums& s, const Places& places,
                         float* work) {
  constexpr std::size_t most = std::min(kRows, kRows * 2 / kV);
  for_parts(s.rows.size(), 1, kRows, [&](const Part& part) HWY_ATTR {
    const float* const a = s.packed + part.first * layout.offsets.size();
    sum_tile_of<kV>(part.count, std::make_index_sequence<most>())(
        layout, a, places, part.first * layout.map(), s.stream, work);
  });
}

void sum(const DirectLayout& layout, const DirectSums& s, float* work) {
  const std::size_t of_run = ceil_div(layout.run, kLanes);
  const std::size_t count = s.lines.size() * layout.runs * of_run;
  float* const to =
      s.result + s.rows.begin * layout.map() + s.lines.begin * layout.runs * layout.run;
  Places places;
  places.columns = std::min(layout.run, kLanes);
  const std::size_t most = s.rows.size() <= kRows * 2 / kMostVectors ? kMostVectors : 2;
  for (std::size_t n = 0, vectors = most; n < count; n += vectors) {
    while (vectors > count - n) vectors /= 2;
    for (std::size_t v = 0; v < vectors; ++v) {
      const std::size_t run = (n + v) / of_run, line = run / layout.runs;
      // The last vector of a run ends with it, and does some of the one before again.
      const std::size_t at = std::min((n + v) % of_run * kLanes, layout.run - places.columns);
      places.from[v] = s.maps + line * layout.line_step + run % layout.runs * layout.run_step + at;
      places.to[v] = to + run * layout.run + at;
    }
    if (vectors == kMostVectors)
      sum_rows<kMostVectors>(layout, s, places, work);
    else if (vectors == 2)
      sum_rows<2>(layout, s, places, work);
    else
      sum_rows<1>(layout, s, places, work);
  }
  if (s.stream) hwy::FlushStream();
}

// Kernels of a tile, and taps, whose sums fill the registers but for those of the factors.
#if HWY_TARGET <= HWY_AVX3 || HWY_ARCH_ARM_A64
constexpr std::size_t kTileKernels = 4;
#else
constexpr std::size_t kTileKernels = 2;
#endif
constexpr std::size_t kTileTaps = 6;

// Gradients of the output as a tile reads them: whole vectors, zero where a run has ended.
struct Gradients {
  const float* first;
  std::size_t kernel_step, run_step;
};

template <std::size_t kK, std::size_t kT>
HWY_NOINLINE void dot_tile(const DirectLayout& layout, const Gradients& gradients,
                           const float* maps, std::size_t lines, std::size_t tap, float* result,
                           bool add) {
  const Lanes d;
  Vector sums[kK][kT];
  HWY_UNROLL(4)
  for (std::size_t k = 0; k < kK; ++k) {
    HWY_UNROLL(6)
    for (std::size_t t = 0; t < kT; ++t) sums[k][t] = hn::Zero(d);
  }
  const float* from[kT];
  const float* gradient = gradients.first;
  for (std::size_t line = 0; line < lines; ++line)
    for (std::size_t run = 0; run < layout.runs; ++run, gradient += gradients.run_step) {
      for (std::size_t t = 0; t < kT; ++t)
        from[t] = maps + line * layout.line_step + run * layout.run_step + layout.offsets[tap + t];
      for (std::size_t n = 0; n < layout.run; n += kLanes) {
        Vector left[kK];
        HWY_UNROLL(4)
        for (std::size_t k = 0; k < kK; ++k)
          left[k] = hn::LoadU(d, gradient + k * gradients.kernel_step + n);
        HWY_UNROLL(6)
        for (std::size_t t = 0; t < kT; ++t) {
          const Vector right = hn::LoadU(d, from[t] + n);
          HWY_UNROLL(4)
          for (std::size_t k = 0; k < kK; ++k) sums[k][t] = hn::MulAdd(left[k], right, sums[k][t]);
        }
      }
    }
  HWY_UNROLL(4)
  for (std::size_t k = 0; k < kK; ++k) {
    float* const row = result + k * layout.offsets.size();
    HWY_UNROLL(6)
    for (std::size_t t = 0; t < kT; ++t) {
      const float sum = hn::GetLane(hn::SumOfLanes(d, sums[k][t]));
      row[t] = add ? row[t] + sum : sum;
    }
  }
}

template <std::size_t kK, class... Args>
HWY_INLINE void dot_taps(std::size_t taps, const Args&... args) {
  static_assert(kTileTaps == 6);
  if (taps == 6) dot_tile<kK, 6>(args...);
  if (taps == 5) dot_tile<kK, 5>(args...);
  if (taps == 4) dot_tile<kK, 4>(args...);
  if (taps == 3) dot_tile<kK, 3>(args...);
  if (taps == 2) dot_tile<kK, 2>(args...);
  if (taps == 1) dot_tile<kK, 1>(args...);
}

// Copies the runs of a few kernels, with zeros up to whole vectors.
HWY_INLINE Gradients with_zeros(const DirectLayout& layout, const float* first, std::size_t kernels,
                                std::size_t runs, float* copy) {
  const std::size_t padded = round_up(layout.run, kMostLanes);
  for (std::size_t k = 0; k < kernels; ++k)
    for (std::size_t run = 0; run < runs; ++run) {
      const float* const from = first + k * layout.map() + run * layout.run;
      float* const to = copy + (k * runs + run) * padded;
      std::fill(std::copy(from, from + layout.run, to), to + padded, 0.0f);
    }
  return {copy, runs * padded, padded};
}

void sum_gradient(const DirectLayout& layout, const DirectGradient& g, float* work,
                  const StopToken* stop) {
  const std::size_t runs = g.lines.size() * layout.runs;
  for_parts(g.kernels.size(), 1, kTileKernels, [&](const Part& kernels) HWY_ATTR {
    if (stop) stop->throw_if_stopped();
    const std::size_t kernel = g.kernels.begin + kernels.first;
    const float* const first =
        g.grad_output + kernel * layout.map() + g.lines.begin * layout.runs * layout.run;
    const Gradients gradients = layout.run % kMostLanes == 0
                                    ? Gradients{first, layout.map(), layout.run}
                                    : with_zeros(layout, first, kernels.count, runs, work);
    for_parts(g.taps.size(), 1, kTileTaps, [&](const Part& taps) HWY_ATTR {
      const std::size_t tap = g.taps.begin + taps.first;
      float* const result = g.result + kernel * layout.offsets.size() + tap;
      const auto dot = [&]<std::size_t kK>() HWY_ATTR {
        dot_taps<kK>(taps.count, layout, gradients, g.maps, g.lines.size(), tap, result, g.add);
      };
      if (kernels.count == 1) dot.template operator()<1>();
      if (kernels.count == 2) dot.template operator()<2>();
#if HWY_TARGET <= HWY_AVX3 || HWY_ARCH_ARM_A64
      if (kernels.count == 3) dot.template operator()<3>();
      if (kernels.count == 4) dot.template operator()<4>();
#endif
    });
  });
}

}  // namespace convoy::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace convoy {

HWY_EXPORT(pack);
HWY_EXPORT(sum);
HWY_EXPORT(sum_gradient);

void pack_direct_weights(const ConvProblem& problem, Pass pass, const float* weight,
                         const Range& rows, float* packed, std::size_t share, std::size_t shares) {
  HWY_DYNAMIC_DISPATCH(pack)(problem, pass, weight, rows, packed, share, shares);
}

std::size_t direct_packed_floats(std::size_t rows, std::size_t inner) {
  return round_up(rows * inner, kMostLanes);
}

void sum_direct(const DirectLayout& layout, const DirectSums& sums, float* work) {
  HWY_DYNAMIC_DISPATCH(sum)(layout, sums, work);
}

void sum_direct_gradient(const DirectLayout& layout, const DirectGradient& gradient, float* work,
                         const StopToken* stop) {
  HWY_DYNAMIC_DISPATCH(sum_gradient)(layout, gradient, work, stop);
}

std::size_t direct_gradient_work(const DirectLayout& layout, std::size_t block_lines) {
  constexpr std::size_t kMostTileKernels = 4;
  return layout.run % kMostLanes == 0
             ? 0
             : kMostTileKernels * block_lines * layout.runs * round_up(layout.run, kMostLanes);
}

}  // namespace convoy
#endif
