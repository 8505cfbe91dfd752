#include "engine/cluster/batch_ranges.h"

#include <algorithm>

namespace convoy {

std::vector<BatchRange> batch_chunks(const BatchRange& part) {
  constexpr int kMostChunks = 4, kLeastPictures = 32, kLanes = 16;
  const int count = std::clamp(part.size() / kLeastPictures, 1, kMostChunks);
  std::vector<BatchRange> chunks;
  for (int i = 1, begin = part.begin; i <= count; ++i) {
    // The nearest multiple of the lanes to an equal division.
    const int end = i == count
                        ? part.end
                        : part.begin + (part.size() * i / count + kLanes / 2) / kLanes * kLanes;
    chunks.push_back({begin, end});
    begin = end;
  }
  return chunks;
}

}  // namespace convoy
