// How numbers travel over a link: as they are, or rounded to 16 bits, which halves the traffic.
//
// Rounding is to nearest, ties to even. bf16 has 8 significant bits and fp32's range. fp16 has 11
// significant bits but covers only 2^-24 to 65504, which gradients leave; so each block of some
// ten thousand numbers is scaled by a power of two, which travels along, and rounding costs 2^-12
// of each number down to 2^-29 of the block's largest.
#pragma once

#include <cstddef>
#include <span>

namespace convoy {

enum class WireFormat { kFp32, kFp16, kBf16 };
const char* wire_format_name(WireFormat format);  // "fp32", "fp16", "bf16"

// Of one number, in bytes.
std::size_t wire_size(WireFormat format);

// What fp16 numbers are to be multiplied by before they are packed: brings the largest magnitude
// (not counting infinities and NaN) to 2^14 or a little more. 1 for other formats and for nothing
// but zeros.
float wire_scale(WireFormat format, const float* source, std::size_t rows, std::size_t columns,
                 std::size_t stride);

// `rows` rows of `columns` numbers, `stride` numbers from the start of one to the next, packed
// without gaps into `wire` (rows * columns * wire_size() bytes), and back; `scale` is
// wire_scale()'s both times. Thread-safe on distinct memory; split over no threads.
void pack_wire(WireFormat format, float scale, const float* source, std::size_t rows,
               std::size_t columns, std::size_t stride, std::byte* wire);
void unpack_wire(WireFormat format, float scale, const std::byte* wire, std::size_t rows,
                 std::size_t columns, std::size_t stride, float* destination);

}  // namespace convoy
