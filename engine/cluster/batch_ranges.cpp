#include "engine/cluster/batch_ranges.h"

#include <algorithm>

namespace convoy {
namespace {

int pieces(int pictures) {
  constexpr int kMost = 4, kLeastPictures = 32;
  return std::clamp(pictures / kLeastPictures, 1, kMost);
}

}  // namespace

Cuts all_cuts(int pictures) {
  return (Cuts{1} << (pieces(pictures) - 1)) - 1;
}

std::vector<BatchRange> batch_chunks(const BatchRange& part, Cuts cuts) {
  constexpr int kLanes = 16;
  const int count = pieces(part.size());
  std::vector<BatchRange> chunks;
  int begin = part.begin;
  for (int i = 1; i < count; ++i) {
    if (((cuts >> (i - 1)) & 1U) == 0) continue;
    // The nearest multiple of the lanes to an equal division.
    const int end = part.begin + (part.size() * i / count + kLanes / 2) / kLanes * kLanes;
    chunks.push_back({begin, end});
    begin = end;
  }
  chunks.push_back({begin, part.end});
  return chunks;
}

}  // namespace convoy
