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
#include "engine/conv/kernel_packing-inl.h"
#include "engine/conv/left_in_place-inl.h"
#include "engine/conv/product_tiles-inl.h"

HWY_BEFORE_NAMESPACE();
namespace convoy::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

// Of the tiles that fill the registers the one with the fewest rows: their weights, read in place,
// can share sets of the first cache. Where there are even fewer rows, it has more vectors.
constexpr std::size_t kMostVectors = 4;
#if HWY_TARGET <= HWY_AVX3 || HWY_ARCH_ARM_A64
constexpr std::size_t kTileRows = 6, kTileVectors = kMostVectors;
#else
constexpr std::size_t kTileRows = 6, kTileVectors = kMostVectors / 2;
#endif
constexpr std::size_t tile_rows(std::size_t vectors) {
  return vectors > kTileVectors ? kTileRows / 2 : kTileRows;
}

// Kernels as the left factor of backward-data, packed in parts of a tile's rows.
struct PackedKernels {
  const float* packed;
  std::size_t inner;

  template <std::size_t kR, std::size_t kV, class Right>
  HWY_INLINE void add_products(Tile<kR, kV>& tile, std::size_t row, const Range& k,
                               Right& right) const {
    tile.add_products(NeighbouringRows{packed + row * inner + k.begin * kR, kR}, right, k.size());
  }
};

void pack(const ConvProblem& p, const float* weight, const Range& channels, float* packed,
          std::size_t share, std::size_t shares) {
  const auto taps = static_cast<std::size_t>(p.kernel_height) * p.kernel_width;
  const std::size_t inner = static_cast<std::size_t>(p.out_channels) * taps;
  with_kernels(p, weight, channels.begin, [&](const auto& packer) HWY_ATTR {
    for_parts(channels.size(), 1, kTileRows, [&](const Part& part) HWY_ATTR {
      if (part.index * shares / part.of == share)
        packer.pack(part.first, part.count, {0, inner},
                    {packed + part.first * inner, part.width, inner});
    });
  });
}

struct Places {
  const float* from[kMostVectors];  // whichever runs they lie in
  float* to[kMostVectors];
  std::size_t columns;   // of each vector
  std::size_t row_step;  // from a row's to the next one's
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

template <std::size_t kV, std::size_t kR, class Weights>
void sum_tile(const DirectLayout& layout, const Weights& weights, std::size_t row,
              const Places& places, bool stream, float* work) {
  const std::size_t inner = layout.offsets.size();
  Tile<kR, kV> tile;
  std::size_t k = 0;
  do {
    const std::size_t run = std::min(kInnerRun, inner - k);
    MapVectors<kV> maps{places, &layout.offsets[k]};
    tile.clear();
    weights.add_products(tile, row, {k, k + run}, maps);
    if (k > 0) tile.add(work);
    k += run;
    if (k < inner) tile.keep(work);
  } while (k < inner);
  HWY_UNROLL(12)
  for (std::size_t r = 0; r < kR; ++r) {
    HWY_UNROLL(4)
    for (std::size_t v = 0; v < kV; ++v)
      tile.write(tile.sums[r][v], places.to[v] + (row + r) * places.row_step, places.columns, false,
                 stream);
  }
}

template <std::size_t kV, class Weights>
HWY_INLINE void sum_rows(const DirectLayout& layout, const DirectSums& s, const Weights& weights,
                         const Places& places, float* work) {
  constexpr std::size_t most = tile_rows(kV);
  for_parts(s.rows.size(), 1, most, [&](const Part& part) HWY_ATTR {
    with_rows<most>(part.count, [&]<std::size_t kR>() HWY_ATTR {
      sum_tile<kV, kR>(layout, weights, part.first, places, s.stream, work);
    });
  });
}

// What the sums of a block go along: runs of lines.
struct Runs {
  std::size_t lines, runs, run;
  std::size_t count() const { return lines * runs; }
};
Runs runs_of(const DirectLayout& layout, std::size_t lines) {
  if (layout.joined) return {1, 1, layout.joined_run(lines)};
  return {lines, layout.runs, layout.run};
}

template <class Weights>
HWY_INLINE void sum_with(const DirectLayout& layout, const DirectSums& s, const Weights& weights,
                         float* work) {
  const Runs runs = runs_of(layout, s.lines.size());
  const std::size_t of_run = ceil_div(runs.run, kLanes);
  const std::size_t count = runs.count() * of_run;
  float* const joined = work + kTileWork;
  float* const result =
      s.result + s.rows.begin * layout.map() + s.lines.begin * layout.runs * layout.run;
  float* const to = layout.joined ? joined : result;
  Places places;
  places.columns = std::min(runs.run, kLanes);
  places.row_step = layout.joined ? runs.run : layout.map();
  const std::size_t most = s.rows.size() <= tile_rows(kMostVectors) ? kMostVectors : kTileVectors;
  for (std::size_t n = 0, vectors = most; n < count; n += vectors) {
    while (vectors > count - n) vectors /= 2;
    for (std::size_t v = 0; v < vectors; ++v) {
      const std::size_t run = (n + v) / of_run, line = run / runs.runs;
      // The last vector of a run ends with it, and does some of the one before again.
      const std::size_t at = std::min((n + v) % of_run * kLanes, runs.run - places.columns);
      places.from[v] = s.maps + line * layout.line_step + run % runs.runs * layout.run_step + at;
      places.to[v] = to + run * runs.run + at;
    }
    if (vectors == kMostVectors)
      sum_rows<kMostVectors>(layout, s, weights, places, work);
    else if (vectors == 2)
      sum_rows<2>(layout, s, weights, places, work);
    else
      sum_rows<1>(layout, s, weights, places, work);
  }
  if (layout.joined)
    for (std::size_t row = 0; row < s.rows.size(); ++row)
      for (std::size_t line = 0; line < s.lines.size(); ++line)
        std::copy_n(joined + row * runs.run + line * layout.line_step, layout.run,
                    result + row * layout.map() + line * layout.run);
  if (s.stream) hwy::FlushStream();
}

void sum(Pass pass, const DirectLayout& layout, const DirectSums& s, float* work) {
  const std::size_t inner = layout.offsets.size();
  if (pass == Pass::kForward)
    sum_with(layout, s, RowsInPlace{s.weight + s.rows.begin * inner, inner}, work);
  else
    sum_with(layout, s, PackedKernels{s.weight, inner}, work);
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

#if HWY_TARGET != HWY_SCALAR
// The sums over the blocks of four lanes.
template <class D>
HWY_INLINE hn::Vec<hn::FixedTag<float, 4>> sum_of_blocks(D d, hn::Vec<D> v) {
  if constexpr (hn::MaxLanes(d) > 4) {
    const hn::Half<D> half;
    return sum_of_blocks(half, hn::Add(hn::LowerHalf(half, v), hn::UpperHalf(half, v)));
  } else {
    return v;
  }
}

// Adds up the lanes of four vectors.
HWY_INLINE hn::Vec<hn::FixedTag<float, 4>> sums_of_four(Vector a, Vector b, Vector c, Vector e) {
  const Lanes d;
  const auto halve = [&](Vector x, Vector y) HWY_ATTR {
    return hn::Add(hn::InterleaveLower(d, x, y), hn::InterleaveUpper(d, x, y));
  };
  return sum_of_blocks(d, halve(halve(a, c), halve(b, e)));
}
#endif

// Adds up the lanes of each vector; four at a time, which shuffles less.
template <std::size_t kCount>
HWY_INLINE void sums_of_lanes(const Vector* HWY_RESTRICT vectors, float* HWY_RESTRICT sums) {
  std::size_t n = 0;
#if HWY_TARGET != HWY_SCALAR
  HWY_UNROLL(6)
  for (; n + 4 <= kCount; n += 4)
    hn::StoreU(sums_of_four(vectors[n], vectors[n + 1], vectors[n + 2], vectors[n + 3]),
               hn::FixedTag<float, 4>(), sums + n);
#endif
  for (; n < kCount; ++n) sums[n] = hn::GetLane(hn::SumOfLanes(Lanes(), vectors[n]));
}

template <std::size_t kK, std::size_t kT>
HWY_NOINLINE void dot_tile(const DirectLayout& layout, const Gradients& gradients,
                           const float* maps, const Runs& runs, std::size_t tap, float* result,
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
  for (std::size_t line = 0; line < runs.lines; ++line)
    for (std::size_t run = 0; run < runs.runs; ++run, gradient += gradients.run_step) {
      for (std::size_t t = 0; t < kT; ++t)
        from[t] = maps + line * layout.line_step + run * layout.run_step + layout.offsets[tap + t];
      for (std::size_t n = 0; n < runs.run; n += kLanes) {
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
  float flat[kK * kT];
  sums_of_lanes<kK * kT>(&sums[0][0], flat);
  for (std::size_t k = 0; k < kK; ++k) {
    float* const row = result + k * layout.offsets.size();
    for (std::size_t t = 0; t < kT; ++t)
      row[t] = add ? row[t] + flat[k * kT + t] : flat[k * kT + t];
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

// Copies the runs of a few kernels, with zeros between joined lines and up to whole vectors.
HWY_INLINE Gradients with_zeros(const DirectLayout& layout, const float* first, std::size_t kernels,
                                std::size_t lines, float* copy) {
  const Runs runs = runs_of(layout, lines);
  const std::size_t padded = round_up(runs.run, kMostLanes);
  const std::size_t pieces = lines * layout.runs, step = layout.joined ? layout.line_step : padded;
  for (std::size_t k = 0; k < kernels; ++k) {
    float* const to = copy + k * runs.count() * padded;
    std::size_t filled = 0;
    for (std::size_t n = 0; n < pieces; ++n) {
      const float* const from = first + k * layout.map() + n * layout.run;
      std::fill(to + filled, to + n * step, 0.0f);
      std::copy_n(from, layout.run, to + n * step);
      filled = n * step + layout.run;
    }
    std::fill(to + filled, to + runs.count() * padded, 0.0f);
  }
  return {copy, runs.count() * padded, padded};
}

void sum_gradient(const DirectLayout& layout, const DirectGradient& g, float* work,
                  const StopToken* stop) {
  const Runs runs = runs_of(layout, g.lines.size());
  for_parts(g.kernels.size(), 1, kTileKernels, [&](const Part& kernels) HWY_ATTR {
    if (stop) stop->throw_if_stopped();
    const std::size_t kernel = g.kernels.begin + kernels.first;
    const float* const first =
        g.grad_output + kernel * layout.map() + g.lines.begin * layout.runs * layout.run;
    const Gradients gradients =
        layout.run % kMostLanes == 0
            ? Gradients{first, layout.map(), layout.run}
            : with_zeros(layout, first, kernels.count, g.lines.size(), work);
    for_parts(g.taps.size(), 1, kTileTaps, [&](const Part& taps) HWY_ATTR {
      const std::size_t tap = g.taps.begin + taps.first;
      float* const result = g.result + kernel * layout.offsets.size() + tap;
      const auto dot = [&]<std::size_t kK>() HWY_ATTR {
        dot_taps<kK>(taps.count, layout, gradients, g.maps, runs, tap, result, g.add);
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

void pack_direct_kernels(const ConvProblem& problem, const float* weight, const Range& channels,
                         float* packed, std::size_t share, std::size_t shares) {
  HWY_DYNAMIC_DISPATCH(pack)(problem, weight, channels, packed, share, shares);
}

std::size_t direct_packed_floats(const ConvProblem& problem, Pass pass) {
  return pass == Pass::kBackwardData ? round_up(problem.weight_size(), kMostLanes) : 0;
}

void sum_direct(Pass pass, const DirectLayout& layout, const DirectSums& sums, float* work) {
  HWY_DYNAMIC_DISPATCH(sum)(pass, layout, sums, work);
}

void sum_direct_gradient(const DirectLayout& layout, const DirectGradient& gradient, float* work,
                         const StopToken* stop) {
  HWY_DYNAMIC_DISPATCH(sum_gradient)(layout, gradient, work, stop);
}

std::size_t direct_sums_work(const DirectLayout& layout, std::size_t rows,
                             std::size_t block_lines) {
  return kTileWork + (layout.joined ? rows * layout.joined_run(block_lines) : 0);
}

std::size_t direct_gradient_work(const DirectLayout& layout, std::size_t block_lines) {
  constexpr std::size_t kMostTileKernels = 4;
  if (layout.joined) return kMostTileKernels * round_up(layout.joined_run(block_lines), kMostLanes);
  return layout.run % kMostLanes == 0
             ? 0
             : kMostTileKernels * block_lines * layout.runs * round_up(layout.run, kMostLanes);
}

}  // namespace convoy
#endif
