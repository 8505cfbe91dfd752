// Copies of pieces of lines that lie some distance apart.
#pragma once

#include <algorithm>
#include <cstddef>
#include <type_traits>

namespace convoy {

// `count` pieces of `size` floats, `from_step` floats apart, to where they lie `to_step` apart.
inline void copy_pieces(const float* from, std::ptrdiff_t from_step, float* to,
                        std::ptrdiff_t to_step, std::size_t size, std::ptrdiff_t count) {
  const auto copy = [&](auto floats) {
    for (std::ptrdiff_t n = 0; n < count; ++n)
      std::copy_n(from + n * from_step, floats, to + n * to_step);
  };
  // A few floats are copied in no time where the compiler knows how many.
  switch (size) {
    case 1:
      return copy(std::integral_constant<std::size_t, 1>());
    case 2:
      return copy(std::integral_constant<std::size_t, 2>());
    case 4:
      return copy(std::integral_constant<std::size_t, 4>());
    case 8:
      return copy(std::integral_constant<std::size_t, 8>());
    default:
      return copy(size);
  }
}

}  // namespace convoy
