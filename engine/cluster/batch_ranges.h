// Ranges of a batch's pictures: one device's part of a batch, or a chunk of it.
#pragma once

#include <vector>

namespace convoy {

struct BatchRange {
  int begin = 0, end = 0;  // pictures
  int size() const { return end - begin; }
  bool operator==(const BatchRange&) const = default;
};

// The chunks in which a part of a batch is worked off when transfers overlap with computing: up to
// four of nearly equal size, one for each 32 pictures, and all but the last a multiple of 16, the
// vector lanes that convolutions compute with.
std::vector<BatchRange> batch_chunks(const BatchRange& part);

}  // namespace convoy
