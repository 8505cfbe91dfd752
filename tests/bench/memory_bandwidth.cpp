#include "tests/bench/memory_bandwidth.h"

#include <algorithm>
#include <array>

#include "engine/conv/timeline.h"
#include "engine/tensor/buffer.h"

// Highway compiles this file once for each instruction set and picks one when the program runs.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "tests/bench/memory_bandwidth.cpp"

#include <hwy/foreach_target.h>
// After foreach_target.h, as Highway wants it.
#include <hwy/cache_control.h>
#include <hwy/highway.h>

namespace convoy::bench {
using Arrays = std::array<float*, 4>;
}

HWY_BEFORE_NAMESPACE();
namespace convoy::bench::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

// Returns the sum of the first lane, which keeps the compiler from leaving the reads out.
template <int kReads, int kWrites, bool kStream>
float move(const Arrays& from, const Arrays& to, std::size_t begin, std::size_t end) {
  const hn::ScalableTag<float> d;
  auto total = hn::Zero(d);
  for (std::size_t i = begin; i < end; i += hn::Lanes(d)) {
    auto value = hn::Set(d, 1.0F);
    for (std::size_t k = 0; k < kReads; ++k) value = hn::Add(value, hn::Load(d, from[k] + i));
    for (std::size_t k = 0; k < kWrites; ++k) {
      if constexpr (kStream)
        hn::Stream(value, d, to[k] + i);
      else
        hn::Store(value, d, to[k] + i);
    }
    if constexpr (kWrites == 0) total = hn::Add(total, value);
  }
  if constexpr (kStream) hwy::FlushStream();
  return hn::GetLane(total);
}

template <bool kStream>
float move_mix(const Mix& mix, const Arrays& from, const Arrays& to, std::size_t begin,
               std::size_t end) {
  switch (mix.reads * 10 + mix.writes) {
    case 1:
      return move<0, 1, kStream>(from, to, begin, end);
    case 10:
      return move<1, 0, kStream>(from, to, begin, end);
    case 11:
      return move<1, 1, kStream>(from, to, begin, end);
    case 14:
      return move<1, 4, kStream>(from, to, begin, end);
    case 21:
      return move<2, 1, kStream>(from, to, begin, end);
    case 32:
      return move<3, 2, kStream>(from, to, begin, end);
    case 41:
      return move<4, 1, kStream>(from, to, begin, end);
  }
  throw Error(ErrorKind::kRun, "bandwidth", "there is no loop for this mix");
}

float move_arrays(const Mix& mix, Stores stores, const Arrays& from, const Arrays& to,
                  std::size_t begin, std::size_t end) {
  return stores == Stores::kCached ? move_mix<false>(mix, from, to, begin, end)
                                   : move_mix<true>(mix, from, to, begin, end);
}

}  // namespace convoy::bench::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace convoy::bench {

HWY_EXPORT(move_arrays);

namespace {

constexpr std::size_t kAllFloats = std::size_t{96} << 20;
constexpr std::size_t kGrain = 1024;  // floats; whole pages and vectors

int arrays_of(const Mix& mix) {
  return mix.in_place ? mix.reads : mix.reads + mix.writes;
}

Bandwidth measure(const std::string& name, const Mix& mix, Stores stores, FloatBuffer& memory,
                  ThreadPool& pool, int rounds) {
  const std::size_t size = kAllFloats / static_cast<std::size_t>(arrays_of(mix)) / kGrain * kGrain;
  Arrays from{}, to{};
  for (std::size_t k = 0; k < static_cast<std::size_t>(mix.reads); ++k)
    from[k] = memory.data() + k * size;
  for (std::size_t k = 0; k < static_cast<std::size_t>(mix.writes); ++k)
    to[k] =
        mix.in_place ? from[k] : memory.data() + (static_cast<std::size_t>(mix.reads) + k) * size;
  std::vector<float> sums(static_cast<std::size_t>(pool.size()));
  double least = 0.0;
  for (int round = 0; round <= rounds; ++round) {
    const TimePoint begin = SteadyClock::now();
    pool.parallel_ranges(size, kGrain, [&](std::size_t first, std::size_t last, int thread) {
      sums[static_cast<std::size_t>(thread)] =
          HWY_DYNAMIC_DISPATCH(move_arrays)(mix, stores, from, to, first, last);
    });
    const double ms = milliseconds(SteadyClock::now() - begin);
    if (round == 1 || (round > 1 && ms < least)) least = ms;  // the first warms up
  }
  const double bytes = static_cast<double>(size * sizeof(float)) * (mix.reads + mix.writes);
  return {name, mix, stores, bytes / least * 1e3};
}

}  // namespace

double Bandwidth::with_ownership() const {
  const bool fetched = !mix.in_place && stores == Stores::kCached;
  return bytes_per_second * (mix.reads + mix.writes + (fetched ? mix.writes : 0)) /
         (mix.reads + mix.writes);
}

std::vector<Bandwidth> measure_bandwidths(ThreadPool& pool, int rounds) {
  FloatBuffer memory(kAllFloats);
  memory.fill_zero();
  std::vector<Bandwidth> all;
  const auto add = [&](const std::string& name, const Mix& mix) {
    all.push_back(measure(name, mix, Stores::kCached, memory, pool, rounds));
    if (mix.writes > 0 && !mix.in_place)
      all.push_back(measure(name, mix, Stores::kNonTemporal, memory, pool, rounds));
  };
  add("read", kRead);
  add("write", kWrite);
  add("copy, 1:1", kCopy);
  add("triad, 2:1", kTriad);
  add("pooling, 4:1", kFourToOne);
  add("unpooling, 1:4", kOneToFour);
  add("in place, 1:1", kScale);
  add("update, 3:2 in place", kUpdate);
  return all;
}

const Bandwidth& best_of(const std::vector<Bandwidth>& all, const Mix& mix) {
  const Bandwidth* best = nullptr;
  for (const Bandwidth& bandwidth : all)
    if (bandwidth.mix == mix && (!best || bandwidth.bytes_per_second > best->bytes_per_second))
      best = &bandwidth;
  if (!best) throw Error(ErrorKind::kRun, "bandwidth", "this mix was not measured");
  return *best;
}

}  // namespace convoy::bench
#endif
