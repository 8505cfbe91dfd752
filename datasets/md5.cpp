#include "datasets/md5.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>

namespace convoy {
namespace {

constexpr std::array<int, 16> kShifts = {7, 12, 17, 22, 5, 9, 14, 20, 4, 11, 16, 23, 6, 10, 15, 21};

// The integer part of 2^32 |sin(i + 1)|, as the RFC defines its table.
const std::array<std::uint32_t, 64> kSines = [] {
  std::array<std::uint32_t, 64> sines{};
  for (std::size_t i = 0; i < 64; ++i)
    sines[i] = static_cast<std::uint32_t>(
        std::floor(std::abs(std::sin(static_cast<double>(i + 1))) * 4294967296.0));
  return sines;
}();

}  // namespace

void Md5::transform(const unsigned char* block) {
  std::array<std::uint32_t, 16> words;
  for (std::size_t i = 0; i < 16; ++i)
    words[i] = static_cast<std::uint32_t>(block[4 * i]) |
               static_cast<std::uint32_t>(block[4 * i + 1]) << 8 |
               static_cast<std::uint32_t>(block[4 * i + 2]) << 16 |
               static_cast<std::uint32_t>(block[4 * i + 3]) << 24;
  auto [a, b, c, d] = state_;
  for (std::size_t i = 0; i < 64; ++i) {
    std::uint32_t mix;
    std::size_t word;
    switch (i / 16) {
      case 0:
        mix = (b & c) | (~b & d);
        word = i;
        break;
      case 1:
        mix = (b & d) | (c & ~d);
        word = (5 * i + 1) % 16;
        break;
      case 2:
        mix = b ^ c ^ d;
        word = (3 * i + 5) % 16;
        break;
      default:
        mix = c ^ (b | ~d);
        word = 7 * i % 16;
        break;
    }
    const std::uint32_t sum = a + mix + kSines[i] + words[word];
    a = d;
    d = c;
    c = b;
    b += std::rotl(sum, kShifts[i / 16 * 4 + i % 4]);
  }
  state_[0] += a;
  state_[1] += b;
  state_[2] += c;
  state_[3] += d;
}

void Md5::update(std::string_view bytes) {
  while (!bytes.empty()) {
    const std::size_t used = length_ % block_.size();
    const std::size_t count = std::min(bytes.size(), block_.size() - used);
    std::memcpy(block_.data() + used, bytes.data(), count);
    length_ += count;
    bytes.remove_prefix(count);
    if (length_ % block_.size() == 0) transform(block_.data());
  }
}

std::string Md5::finish() {
  const std::uint64_t bits = 8 * length_;
  update("\x80");
  while (length_ % block_.size() != 56) update(std::string_view("", 1));
  std::string tail;
  for (int i = 0; i < 8; ++i) tail += static_cast<char>(bits >> (8 * i));
  update(tail);
  std::string digest;
  for (const std::uint32_t word : state_)
    for (int shift = 0; shift < 32; shift += 8)
      for (const int half : {shift + 4, shift}) digest += "0123456789abcdef"[word >> half & 15];
  return digest;
}

}  // namespace convoy
