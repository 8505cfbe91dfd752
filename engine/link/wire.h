// How numbers travel over a link: as they are, or rounded to 16 bits, which halves the traffic.
//
// Rounding is to nearest, ties to even. fp16 has 11 significant bits and a largest value of 65504:
// what is beyond becomes infinite, and shows as a loss that is no number. bf16 has 8 significant
// bits and fp32's range.
#pragma once

#include <cstddef>
#include <span>

namespace convoy {

enum class WireFormat { kFp32, kFp16, kBf16 };
const char* wire_format_name(WireFormat format);  // "fp32", "fp16", "bf16"

// Of one number, in bytes.
std::size_t wire_size(WireFormat format);

// `rows` rows of `columns` numbers, `stride` numbers from the start of one to the next, packed
// without gaps into `wire` (rows * columns * wire_size() bytes), and back. Thread-safe on distinct
// memory; split over no threads.
void pack_wire(WireFormat format, const float* source, std::size_t rows, std::size_t columns,
               std::size_t stride, std::byte* wire);
void unpack_wire(WireFormat format, const std::byte* wire, std::size_t rows, std::size_t columns,
                 std::size_t stride, float* destination);

}  // namespace convoy
