#include "engine/conv/winograd_transform.h"

#include <algorithm>
#include <cstdint>
#include <cstring>

#include "engine/conv/product_panel.h"

// Highway compiles this file once for each instruction set and picks one when the program runs.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "engine/conv/winograd_transform.cpp"

#include <hwy/foreach_target.h>
// After foreach_target.h, as Highway wants it.
#include <hwy/cache_control.h>
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace convoy::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

using Lanes = hn::CappedTag<float, kMostLanes>;
using Vector = hn::Vec<Lanes>;
constexpr std::size_t kLanes = hn::MaxLanes(Lanes());

// B', A, G and their transposes, along one side of a tile.
struct InputToPoints {
  static constexpr std::size_t kIn = 4, kOut = 4;
  static HWY_INLINE void apply(const Vector in[4], Vector out[4]) {
    out[0] = hn::Sub(in[0], in[2]);
    out[1] = hn::Add(in[1], in[2]);
    out[2] = hn::Sub(in[2], in[1]);
    out[3] = hn::Sub(in[1], in[3]);
  }
};
struct PointsToInput {
  static constexpr std::size_t kIn = 4, kOut = 4;
  static HWY_INLINE void apply(const Vector in[4], Vector out[4]) {
    out[0] = in[0];
    out[1] = hn::Add(hn::Sub(in[1], in[2]), in[3]);
    out[2] = hn::Sub(hn::Add(in[1], in[2]), in[0]);
    out[3] = hn::Neg(in[3]);
  }
};
struct OutputToPoints {
  static constexpr std::size_t kIn = 2, kOut = 4;
  static HWY_INLINE void apply(const Vector in[2], Vector out[4]) {
    out[0] = in[0];
    out[1] = hn::Add(in[0], in[1]);
    out[2] = hn::Sub(in[0], in[1]);
    out[3] = hn::Neg(in[1]);
  }
};
struct PointsToOutput {
  static constexpr std::size_t kIn = 4, kOut = 2;
  static HWY_INLINE void apply(const Vector in[4], Vector out[2]) {
    out[0] = hn::Add(in[0], hn::Add(in[1], in[2]));
    out[1] = hn::Sub(hn::Sub(in[1], in[2]), in[3]);
  }
};
struct WeightsToPoints {
  static constexpr std::size_t kIn = 3, kOut = 4;
  static HWY_INLINE void apply(const Vector in[3], Vector out[4]) {
    const Vector half = hn::Set(Lanes(), 0.5f);
    const Vector outer = hn::Mul(half, hn::Add(in[0], in[2]));
    out[0] = in[0];
    out[1] = hn::MulAdd(half, in[1], outer);
    out[2] = hn::NegMulAdd(half, in[1], outer);
    out[3] = in[2];
  }
};
struct PointsToWeights {
  static constexpr std::size_t kIn = 4, kOut = 3;
  static HWY_INLINE void apply(const Vector in[4], Vector out[3]) {
    const Vector half = hn::Set(Lanes(), 0.5f);
    const Vector sum = hn::Add(in[1], in[2]);
    out[0] = hn::MulAdd(half, sum, in[0]);
    out[1] = hn::Mul(half, hn::Sub(in[1], in[2]));
    out[2] = hn::MulAdd(half, sum, in[3]);
  }
};

// One vector of each place of a tile, transformed along both sides. `load` gives the vector of a
// row and a column, `store` takes one.
template <class Side, class Load, class Store>
HWY_INLINE void transform(const Load& load, const Store& store) {
  constexpr std::size_t kIn = Side::kIn, kOut = Side::kOut;
  Vector columns[kIn][kOut];  // by column, transformed along it
  HWY_UNROLL(4)
  for (std::size_t j = 0; j < kIn; ++j) {
    Vector in[kIn];
    HWY_UNROLL(4)
    for (std::size_t i = 0; i < kIn; ++i) in[i] = load(i, j);
    Side::apply(in, columns[j]);
  }
  HWY_UNROLL(4)
  for (std::size_t i = 0; i < kOut; ++i) {
    Vector in[kIn], out[kOut];
    HWY_UNROLL(4)
    for (std::size_t j = 0; j < kIn; ++j) in[j] = columns[j][i];
    Side::apply(in, out);
    HWY_UNROLL(4)
    for (std::size_t j = 0; j < kOut; ++j) store(i, j, out[j]);
  }
}

HWY_INLINE bool is_on_line(const float* p) {
  return reinterpret_cast<std::uintptr_t>(p) % (kLanes * sizeof(float)) == 0;
}

// Lanes n and further of a spectrum's row, of which `count` are wanted.
template <class Side, class Load>
HWY_INLINE void transform_to(const Load& load, std::size_t n, std::size_t count,
                             const WinogradRow& to) {
  const Lanes d;
  float* const base = to.data + n;
  if (n + kLanes > to.room) {
    HWY_ALIGN float lanes[kLanes];
    const std::size_t bytes = std::min(count, kLanes) * sizeof(float);
    transform<Side>(load, [&](std::size_t i, std::size_t j, Vector value) HWY_ATTR {
      hn::Store(value, d, lanes);
      std::memcpy(base + (4 * i + j) * to.plane_stride, lanes, bytes);
    });
  } else if (to.streamed && is_on_line(base)) {
    transform<Side>(load, [&](std::size_t i, std::size_t j, Vector value) HWY_ATTR {
      hn::Stream(value, d, base + (4 * i + j) * to.plane_stride);
    });
  } else {
    transform<Side>(load, [&](std::size_t i, std::size_t j, Vector value) HWY_ATTR {
      hn::StoreU(value, d, base + (4 * i + j) * to.plane_stride);
    });
  }
}

// Loads points of lane n and further; those from `count` lanes on are zero.
template <class Side, class Store>
HWY_INLINE void transform_from(const WinogradSource& from, std::size_t n, std::size_t count,
                               const Store& store) {
  const Lanes d;
  const float* const base = from.data + n;
  if (count >= kLanes) {
    transform<Side>([&](std::size_t i, std::size_t j)
                        HWY_ATTR { return hn::LoadU(d, base + (4 * i + j) * from.plane_stride); },
                    store);
    return;
  }
  HWY_ALIGN float lanes[kLanes] = {};
  transform<Side>(
      [&](std::size_t i, std::size_t j) HWY_ATTR {
        std::memcpy(lanes, base + (4 * i + j) * from.plane_stride, count * sizeof(float));
        return hn::Load(d, lanes);
      },
      store);
}

void from_input(const WinogradLattice& tiles, std::size_t first, std::size_t count,
                const WinogradRow& to) {
  const Lanes d;
  for (std::size_t n = 0; n < count; n += kLanes) {
    const float* const at = tiles.data + first + n;
    const auto load = [&](std::size_t i, std::size_t j) HWY_ATTR {
      return hn::LoadU(d, at + (i % 2 * 4 + j) * tiles.stride + i / 2 * tiles.below);
    };
    transform_to<InputToPoints>(load, n, count - n, to);
  }
}

void from_output(const WinogradLattice& tiles, std::size_t first, std::size_t count,
                 const WinogradRow& to) {
  const Lanes d;
  for (std::size_t n = 0; n < count; n += kLanes) {
    const float* const at = tiles.data + first + n;
    const auto load = [&](std::size_t i, std::size_t j)
                          HWY_ATTR { return hn::LoadU(d, at + (2 * i + j) * tiles.stride); };
    transform_to<OutputToPoints>(load, n, count - n, to);
  }
}

void to_output(const WinogradSource& from, std::size_t first, std::size_t count,
               const WinogradLattice& tiles) {
  const Lanes d;
  for (std::size_t n = 0; n < count; n += kLanes) {
    float* const at = tiles.data + first + n;
    transform_from<PointsToOutput>(from, n, count - n,
                                   [&](std::size_t i, std::size_t j, Vector value) HWY_ATTR {
                                     hn::StoreU(value, d, at + (2 * i + j) * tiles.stride);
                                   });
  }
}

void to_input(const WinogradSource& from, std::size_t first, std::size_t count,
              const WinogradLattice& tiles) {
  const Lanes d;
  for (std::size_t n = 0; n < count; n += kLanes) {
    float* const at = tiles.data + first + n;
    // Lanes further on in a short row of tiles lie in the row below, which must be set before the
    // upper rows are added there.
    Vector upper[2][4];
    transform_from<PointsToInput>(
        from, n, count - n, [&](std::size_t i, std::size_t j, Vector value) HWY_ATTR {
          if (i < 2)
            upper[i][j] = value;
          else
            hn::StoreU(value, d, at + (i % 2 * 4 + j) * tiles.stride + tiles.below);
        });
    HWY_UNROLL(2)
    for (std::size_t i = 0; i < 2; ++i) {
      HWY_UNROLL(4)
      for (std::size_t j = 0; j < 4; ++j) {
        float* const to = at + (i * 4 + j) * tiles.stride;
        hn::StoreU(hn::Add(upper[i][j], hn::LoadU(d, to)), d, to);
      }
    }
  }
}

void from_weights(const float* taps, const WinogradRow& to) {
  const Lanes d;
  for (std::size_t n = 0; n < kMostLanes; n += kLanes) {
    const auto load = [&](std::size_t i, std::size_t j)
                          HWY_ATTR { return hn::LoadU(d, taps + (3 * i + j) * kMostLanes + n); };
    transform_to<WeightsToPoints>(load, n, kLanes, to);
  }
}

void to_weights(const WinogradSource& from, float* taps) {
  const Lanes d;
  for (std::size_t n = 0; n < kMostLanes; n += kLanes)
    transform_from<PointsToWeights>(from, n, kLanes,
                                    [&](std::size_t i, std::size_t j, Vector value) HWY_ATTR {
                                      hn::StoreU(value, d, taps + (3 * i + j) * kMostLanes + n);
                                    });
}

// Single floats; a pair of vectors at a time.
HWY_INLINE void split_floats(const float* row, std::size_t count, float* even, float* odd) {
  const Lanes d;
  std::size_t n = 0;
  for (; n + 2 * kLanes <= count; n += 2 * kLanes) {
    Vector first, second;
    hn::LoadInterleaved2(d, row + n, first, second);
    hn::StoreU(first, d, even + n / 2);
    hn::StoreU(second, d, odd + n / 2);
  }
  for (; n + 2 <= count; n += 2) {
    even[n / 2] = row[n];
    odd[n / 2] = row[n + 1];
  }
  if (n < count) even[n / 2] = row[n];
}

void split(const float* row, std::size_t count, std::size_t unit, std::size_t room, float* even,
           float* odd) {
  if (unit == 1) return split_floats(row, count, even, odd);
  const Lanes d;
  for (std::size_t n = 0; n < count; ++n) {
    float* const to = (n % 2 ? odd : even) + n / 2 * unit;
    const float* const from = row + n * unit;
    // Behind a pixel comes the next one, which is written later, or slack.
    if (n * unit + (unit + kLanes - 1) / kLanes * kLanes <= room)
      for (std::size_t lane = 0; lane < unit; lane += kLanes)
        hn::StoreU(hn::LoadU(d, from + lane), d, to + lane);
    else
      std::memcpy(to, from, unit * sizeof(float));
  }
}

void join(const float* even, const float* odd, std::size_t count, std::size_t unit, bool add,
          std::size_t room, float* row) {
  const Lanes d;
  std::size_t n = 0;
  if (unit == 1 && !add) {
    for (; n + 2 * kLanes <= count; n += 2 * kLanes)
      hn::StoreInterleaved2(hn::LoadU(d, even + n / 2), hn::LoadU(d, odd + n / 2), d, row + n);
    for (; n + 2 <= count; n += 2) {
      row[n] = even[n / 2];
      row[n + 1] = odd[n / 2];
    }
  }
  for (; n < count; ++n) {
    const float* const from = (n % 2 ? odd : even) + n / 2 * unit;
    float* const to = row + n * unit;
    std::size_t lane = 0;
    for (; lane + kLanes <= unit; lane += kLanes) {
      const Vector value = hn::LoadU(d, from + lane);
      hn::StoreU(add ? hn::Add(value, hn::LoadU(d, to + lane)) : value, d, to + lane);
    }
    if (lane == unit) continue;
    // What comes behind is written later.
    if (!add && n * unit + lane + kLanes <= room)
      hn::StoreU(hn::LoadU(d, from + lane), d, to + lane);
    else
      for (; lane < unit; ++lane) to[lane] = add ? to[lane] + from[lane] : from[lane];
  }
}

void add(const float* a, const float* b, std::size_t count, float* to) {
  const Lanes d;
  std::size_t n = 0;
  for (; n + kLanes <= count; n += kLanes)
    hn::StoreU(hn::Add(hn::LoadU(d, a + n), hn::LoadU(d, b + n)), d, to + n);
  for (; n < count; ++n) to[n] = a[n] + b[n];
}

}  // namespace convoy::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace convoy {

HWY_EXPORT(from_input);
HWY_EXPORT(from_output);
HWY_EXPORT(to_output);
HWY_EXPORT(to_input);
HWY_EXPORT(from_weights);
HWY_EXPORT(to_weights);
HWY_EXPORT(split);
HWY_EXPORT(join);
HWY_EXPORT(add);

void winograd_from_input(const WinogradLattice& tiles, std::size_t first, std::size_t count,
                         const WinogradRow& to) {
  HWY_DYNAMIC_DISPATCH(from_input)(tiles, first, count, to);
}
void winograd_from_output(const WinogradLattice& tiles, std::size_t first, std::size_t count,
                          const WinogradRow& to) {
  HWY_DYNAMIC_DISPATCH(from_output)(tiles, first, count, to);
}
void winograd_to_output(const WinogradSource& from, std::size_t first, std::size_t count,
                        const WinogradLattice& tiles) {
  HWY_DYNAMIC_DISPATCH(to_output)(from, first, count, tiles);
}
void winograd_to_input(const WinogradSource& from, std::size_t first, std::size_t count,
                       const WinogradLattice& tiles) {
  HWY_DYNAMIC_DISPATCH(to_input)(from, first, count, tiles);
}
void winograd_from_weights(const float* taps, const WinogradRow& to) {
  HWY_DYNAMIC_DISPATCH(from_weights)(taps, to);
}
void winograd_to_weights(const WinogradSource& from, float* taps) {
  HWY_DYNAMIC_DISPATCH(to_weights)(from, taps);
}
void split_pixels(const float* row, std::size_t count, std::size_t unit, std::size_t room,
                  float* even, float* odd) {
  HWY_DYNAMIC_DISPATCH(split)(row, count, unit, room, even, odd);
}
void join_pixels(const float* even, const float* odd, std::size_t count, std::size_t unit, bool add,
                 std::size_t room, float* row) {
  HWY_DYNAMIC_DISPATCH(join)(even, odd, count, unit, add, room, row);
}
void add_floats(const float* a, const float* b, std::size_t count, float* to) {
  HWY_DYNAMIC_DISPATCH(add)(a, b, count, to);
}

}  // namespace convoy
#endif
