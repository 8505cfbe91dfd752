#include "engine/link/wire.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>

// Highway compiles this file once for each instruction set and picks one when the program runs.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "engine/link/wire.cpp"

#include <hwy/foreach_target.h>
// After foreach_target.h, as Highway wants it.
#include <hwy/highway.h>

#ifndef CONVOY_WIRE_RUNS
#define CONVOY_WIRE_RUNS
namespace convoy {
// Runs of numbers without gaps, `stride` from the start of one to the next.
struct Runs {
  std::size_t count, size, stride;
};
}  // namespace convoy
#endif

HWY_BEFORE_NAMESPACE();
namespace convoy::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

// The conversions are done on the bits, as Highway's own do not round alike on every processor.
// fp16 after Fabian Giesen, "half to float done quick" (2012), variants fast3_rtne and fast.

template <class D, class Bits = hn::RebindToUnsigned<D>>
HWY_INLINE hn::Vec<Bits> fp16_bits(D d, hn::Vec<D> value) {
  const Bits du;
  const auto all = hn::BitCast(du, value);
  const auto sign = hn::And(all, hn::Set(du, 0x80000000u));
  const auto bits = hn::Xor(all, sign);
  // Too large for fp16, infinite, or no number.
  const auto special = hn::IfThenElse(hn::Gt(bits, hn::Set(du, 255u << 23)), hn::Set(du, 0x7e00u),
                                      hn::Set(du, 0x7c00u));
  // Adding a number of the right size makes the processor round the last bits away.
  const auto magic = hn::Set(du, (127u - 15u + 23u - 10u + 1u) << 23);
  const auto subnormal =
      hn::Sub(hn::BitCast(du, hn::Add(hn::BitCast(d, bits), hn::BitCast(d, magic))), magic);
  const auto odd = hn::And(hn::ShiftRight<13>(bits), hn::Set(du, 1u));
  const auto normal =
      hn::ShiftRight<13>(hn::Add(hn::Add(bits, hn::Set(du, ((15u - 127u) << 23) + 0xfffu)), odd));
  auto half = hn::IfThenElse(hn::Lt(bits, hn::Set(du, 113u << 23)), subnormal, normal);
  half = hn::IfThenElse(hn::Gt(bits, hn::Set(du, ((127u + 16u) << 23) - 1u)), special, half);
  return hn::Or(half, hn::ShiftRight<16>(sign));
}

template <class D, class Bits = hn::RebindToUnsigned<D>>
HWY_INLINE hn::Vec<D> fp16_value(D d, hn::Vec<Bits> half) {
  const Bits du;
  const auto exponent_mask = hn::Set(du, 0x7c00u << 13);
  auto bits = hn::ShiftLeft<13>(hn::And(half, hn::Set(du, 0x7fffu)));
  const auto exponent = hn::And(bits, exponent_mask);
  bits = hn::Add(bits, hn::Set(du, (127u - 15u) << 23));
  const auto special = hn::Add(bits, hn::Set(du, (128u - 16u) << 23));
  const auto magic = hn::BitCast(d, hn::Set(du, 113u << 23));
  const auto subnormal =
      hn::BitCast(du, hn::Sub(hn::BitCast(d, hn::Add(bits, hn::Set(du, 1u << 23))), magic));
  bits = hn::IfThenElse(hn::Eq(exponent, hn::Zero(du)), subnormal, bits);
  bits = hn::IfThenElse(hn::Eq(exponent, exponent_mask), special, bits);
  return hn::BitCast(d, hn::Or(bits, hn::ShiftLeft<16>(hn::And(half, hn::Set(du, 0x8000u)))));
}

template <class D, class Bits = hn::RebindToUnsigned<D>>
HWY_INLINE hn::Vec<Bits> bf16_bits(D /* d */, hn::Vec<D> value) {
  const Bits du;
  const auto bits = hn::BitCast(du, value);
  const auto odd = hn::And(hn::ShiftRight<16>(bits), hn::Set(du, 1u));
  const auto rounded = hn::ShiftRight<16>(hn::Add(hn::Add(bits, hn::Set(du, 0x7fffu)), odd));
  // Rounding up must not turn a NaN into an infinity or a zero.
  const auto nan = hn::Or(hn::ShiftRight<16>(bits), hn::Set(du, 0x40u));
  return hn::IfThenElse(hn::RebindMask(du, hn::IsNaN(value)), nan, rounded);
}

template <WireFormat kFormat, class D>
HWY_INLINE std::size_t narrow_run(D d, float scale, const float* source, std::size_t count,
                                  std::size_t i, std::uint16_t* wire) {
  const hn::Rebind<std::uint16_t, D> du16;
  const hn::RebindToUnsigned<D> du;
  const hn::RebindToSigned<D> di;
  for (; i + hn::Lanes(d) <= count; i += hn::Lanes(d)) {
    const auto value = hn::Mul(hn::LoadU(d, source + i), hn::Set(d, scale));
    hn::Vec<decltype(du)> bits;
    if constexpr (kFormat == WireFormat::kFp16)
      bits = fp16_bits(d, value);
    else
      bits = bf16_bits(d, value);
    // No bits beyond the lower 16 are set: saturation has nothing to do.
    hn::StoreU(hn::DemoteTo(du16, hn::BitCast(di, bits)), du16, wire + i);
  }
  return i;
}

template <WireFormat kFormat, class D>
HWY_INLINE std::size_t widen_run(D d, float unscale, const std::uint16_t* wire, std::size_t count,
                                 std::size_t i, float* destination) {
  const hn::Rebind<std::uint16_t, D> du16;
  const hn::RebindToUnsigned<D> du;
  for (; i + hn::Lanes(d) <= count; i += hn::Lanes(d)) {
    const auto bits = hn::PromoteTo(du, hn::LoadU(du16, wire + i));
    if constexpr (kFormat == WireFormat::kFp16)
      hn::StoreU(hn::Mul(fp16_value(d, bits), hn::Set(d, unscale)), d, destination + i);
    else
      hn::StoreU(hn::BitCast(d, hn::ShiftLeft<16>(bits)), d, destination + i);
  }
  return i;
}

template <WireFormat kFormat>
void narrow_as(float scale, const float* source, std::size_t count, std::uint16_t* wire) {
  const std::size_t i =
      narrow_run<kFormat>(hn::ScalableTag<float>(), scale, source, count, 0, wire);
  narrow_run<kFormat>(hn::CappedTag<float, 1>(), scale, source, count, i, wire);
}

template <WireFormat kFormat>
void widen_as(float unscale, const std::uint16_t* wire, std::size_t count, float* destination) {
  const std::size_t i =
      widen_run<kFormat>(hn::ScalableTag<float>(), unscale, wire, count, 0, destination);
  widen_run<kFormat>(hn::CappedTag<float, 1>(), unscale, wire, count, i, destination);
}

// Rows can be short: the loops over them are in here, where a row costs no call.
void narrow(WireFormat format, float scale, const float* source, const Runs& all,
            std::uint16_t* wire) {
  for (std::size_t row = 0; row < all.count; ++row, source += all.stride, wire += all.size)
    if (format == WireFormat::kFp16)
      narrow_as<WireFormat::kFp16>(scale, source, all.size, wire);
    else
      narrow_as<WireFormat::kBf16>(scale, source, all.size, wire);
}

void widen(WireFormat format, float unscale, const std::uint16_t* wire, const Runs& all,
           float* destination) {
  for (std::size_t row = 0; row < all.count; ++row, wire += all.size, destination += all.stride)
    if (format == WireFormat::kFp16)
      widen_as<WireFormat::kFp16>(unscale, wire, all.size, destination);
    else
      widen_as<WireFormat::kBf16>(unscale, wire, all.size, destination);
}

// The largest bits of a finite magnitude, which order as the magnitudes do.
std::uint32_t largest_bits(const float* source, const Runs& all) {
  const hn::ScalableTag<float> d;
  const hn::RebindToUnsigned<decltype(d)> du;
  const auto infinite = hn::Set(du, 255u << 23);
  auto most = hn::Zero(du);
  std::uint32_t rest = 0;
  for (std::size_t row = 0; row < all.count; ++row, source += all.stride) {
    std::size_t i = 0;
    for (; i + hn::Lanes(d) <= all.size; i += hn::Lanes(d)) {
      const auto bits =
          hn::And(hn::BitCast(du, hn::LoadU(d, source + i)), hn::Set(du, 0x7fffffffu));
      most = hn::Max(most, hn::IfThenElseZero(hn::Lt(bits, infinite), bits));
    }
    for (; i < all.size; ++i) {
      std::uint32_t bits;
      std::memcpy(&bits, source + i, sizeof bits);
      bits &= 0x7fffffffu;
      if (bits < 255u << 23 && bits > rest) rest = bits;
    }
  }
  return std::max(rest, hn::GetLane(hn::MaxOfLanes(du, most)));
}

}  // namespace convoy::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace convoy {

HWY_EXPORT(narrow);
HWY_EXPORT(widen);
HWY_EXPORT(largest_bits);

const char* wire_format_name(WireFormat format) {
  switch (format) {
    case WireFormat::kFp32:
      return "fp32";
    case WireFormat::kFp16:
      return "fp16";
    case WireFormat::kBf16:
      break;
  }
  return "bf16";
}

std::size_t wire_size(WireFormat format) {
  return format == WireFormat::kFp32 ? sizeof(float) : sizeof(std::uint16_t);
}

namespace {

// Rows without gaps are one row.
Runs runs(std::size_t rows, std::size_t columns, std::size_t stride) {
  return columns == stride || rows == 1 ? Runs{1, rows * columns, rows * columns}
                                        : Runs{rows, columns, stride};
}

}  // namespace

float wire_scale(WireFormat format, const float* source, std::size_t rows, std::size_t columns,
                 std::size_t stride) {
  if (format != WireFormat::kFp16) return 1.0f;
  const std::uint32_t most =
      HWY_DYNAMIC_DISPATCH(largest_bits)(source, runs(rows, columns, stride));
  if (most == 0) return 1.0f;
  const int exponent = static_cast<int>(most >> 23) - 127;
  // A float holds neither the scale nor its inverse beyond this.
  return std::ldexp(1.0f, std::clamp(14 - exponent, -126, 126));
}

void pack_wire(WireFormat format, float scale, const float* source, std::size_t rows,
               std::size_t columns, std::size_t stride, std::byte* wire) {
  const Runs all = runs(rows, columns, stride);
  if (format != WireFormat::kFp32) {
    HWY_DYNAMIC_DISPATCH(narrow)
    (format, scale, source, all, reinterpret_cast<std::uint16_t*>(wire));
    return;
  }
  const std::size_t row_bytes = all.size * sizeof(float);
  for (std::size_t row = 0; row < all.count; ++row)
    std::memcpy(wire + row * row_bytes, source + row * all.stride, row_bytes);
}

void unpack_wire(WireFormat format, float scale, const std::byte* wire, std::size_t rows,
                 std::size_t columns, std::size_t stride, float* destination) {
  const Runs all = runs(rows, columns, stride);
  if (format != WireFormat::kFp32) {
    HWY_DYNAMIC_DISPATCH(widen)
    (format, 1.0f / scale, reinterpret_cast<const std::uint16_t*>(wire), all, destination);
    return;
  }
  const std::size_t row_bytes = all.size * sizeof(float);
  for (std::size_t row = 0; row < all.count; ++row)
    std::memcpy(destination + row * all.stride, wire + row * row_bytes, row_bytes);
}

}  // namespace convoy
#endif
