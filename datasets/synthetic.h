// The built-in data set: ten classes of 32x32 colour pictures, drawn from a seed.
//
// Six classes are outlines (disc, ring, triangle, square, cross, star), four are textures (stripes,
// checks, dots, target). Position, size, rotation, both colours and their contrast, background,
// clutter, brightness and noise are drawn independently of the class, so that no pixel and no
// colour gives it away: a linear classifier stays near chance, a small convolutional network learns
// it in a few hundred steps.
//
// Picture i of a part depends on the seed, the part and i alone, so a shorter set is the start of
// a longer one. Every ten pictures in a row hold each class once, in random order.
#pragma once

#include <cstdint>

#include "datasets/image_set.h"

namespace convoy {

inline constexpr int kSyntheticTrainCount = 10000;
inline constexpr int kSyntheticTestCount = 2000;
// The most that there is to take, for each part (3 GB).
inline constexpr int kSyntheticMaxCount = 1'000'000;

// Throws Interrupted when `stop` (may be null) asks for it. Thread-safe.
Dataset generate_synthetic(std::uint64_t seed, int train_count = kSyntheticTrainCount,
                           int test_count = kSyntheticTestCount, const StopToken* stop = nullptr);

}  // namespace convoy
