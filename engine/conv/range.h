// A half-open range of indices.
#pragma once

#include <cstddef>

namespace convoy {

struct Range {
  std::size_t begin = 0, end = 0;
  std::size_t size() const { return end - begin; }
};

}  // namespace convoy
