// MD5 (RFC 1321), which the publishers of the data sets give for their archives. It finds damage;
// it is no protection against forgery.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace convoy {

class Md5 {
 public:
  void update(std::string_view bytes);
  // 32 lower-case hexadecimal digits. Call it once, at the end.
  std::string finish();

 private:
  void transform(const unsigned char* block);

  std::array<std::uint32_t, 4> state_ = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476};
  std::array<unsigned char, 64> block_{};
  std::uint64_t length_ = 0;  // bytes so far
};

}  // namespace convoy
