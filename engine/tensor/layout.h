// Between the files' order [batch][channels][height][width] and the engine's
// [channels][height][width][batch].
#pragma once

#include <cstddef>

namespace convoy {

// `positions` is channels * height * width. Source and destination must not overlap.
void batch_first_to_batch_last(const float* source, std::size_t batch, std::size_t positions,
                               float* destination);
void batch_last_to_batch_first(const float* source, std::size_t batch, std::size_t positions,
                               float* destination);

}  // namespace convoy
