// How fast a set of cores moves memory: the yardstick for everything that does little else.
//
// After McCalpin's STREAM: arrays far larger than the caches, every element touched once, the best
// of several rounds. The mixes are those of a training step's element-wise pieces.
#pragma once

#include <string>
#include <vector>

#include "engine/base/thread_pool.h"

namespace convoy::bench {

// Arrays that a loop reads and writes side by side, one float of each at a time.
struct Mix {
  int reads = 0, writes = 0;
  // The arrays written are among those read, so that no line is fetched only to be overwritten.
  bool in_place = false;
  bool operator==(const Mix&) const = default;
};

inline constexpr Mix kRead{1, 0, false}, kWrite{0, 1, false}, kCopy{1, 1, false},
    kTriad{2, 1, false}, kScale{1, 1, true}, kFourToOne{4, 1, false}, kOneToFour{1, 4, false},
    kUpdate{3, 2, true};

enum class Stores { kCached, kNonTemporal };

struct Bandwidth {
  std::string name;  // "triad, 2:1"
  Mix mix;
  Stores stores;
  // Of the bytes that the loop reads and writes. A cached store to a line that is not in the caches
  // makes the processor read it first; these reads are not in here, the time they take is.
  double bytes_per_second;

  // With those reads: what the memory itself moves.
  double with_ownership() const;
};

// Every mix, with both kinds of stores where there is a choice. Uses 384 MiB.
std::vector<Bandwidth> measure_bandwidths(ThreadPool& pool, int rounds);

// The fastest way to move that mix.
const Bandwidth& best_of(const std::vector<Bandwidth>& all, const Mix& mix);

}  // namespace convoy::bench
