// Ranges of a batch's pictures: one device's part of a batch, or a chunk of it.
#pragma once

#include <vector>

namespace convoy {

struct BatchRange {
  int begin = 0, end = 0;  // pictures
  int size() const { return end - begin; }
  bool operator==(const BatchRange&) const = default;
};

// Where a part of a batch may be cut into the chunks that it is worked off in when transfers
// overlap with computing: between pieces of nearly equal size, up to four of them, one for each 32
// pictures. Bit i of a set cuts behind piece i.
using Cuts = unsigned;
inline constexpr Cuts kNoCuts = 0;
// All that a part of so many pictures has; sets beyond it cut where it has pieces.
Cuts all_cuts(int pictures);

// All chunks but the last are a multiple of 16 pictures, the vector lanes that convolutions compute
// with.
std::vector<BatchRange> batch_chunks(const BatchRange& part, Cuts cuts);

// Of the two exchanges of a layer: there and back. Their chunks have nothing to do with each other.
struct ChunkCuts {
  Cuts forward = kNoCuts, backward = kNoCuts;
  bool any() const { return (forward | backward) != kNoCuts; }
  bool operator==(const ChunkCuts&) const = default;
};

}  // namespace convoy
