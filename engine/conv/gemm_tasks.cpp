#include "engine/conv/gemm_tasks.h"

#include <algorithm>
#include <string>

#include "engine/base/error.h"

namespace convoy {

bool is_soon_done(const ConvProblem& problem) {
  return problem.flops() < 1e6;  // some 10 microseconds
}

void run_tasks(const ConvProblem& problem, std::size_t count, ThreadPool& pool,
               const StopToken* stop, const std::function<void(std::size_t, int)>& work) {
  if (is_soon_done(problem))
    pool.run_here([&](int thread) {
      for (std::size_t n = 0; n < count; ++n) work(n, thread);
    });
  else
    pool.parallel_for(count, work, stop);
}

void check_room(const char* what, int threads, std::size_t scratch_bytes, const ThreadPool& pool,
                std::span<const std::byte> scratch) {
  if (pool.size() <= threads && scratch.size() >= scratch_bytes) return;
  throw Error(ErrorKind::kRun, what,
              "planned for " + std::to_string(threads) + " threads and " +
                  std::to_string(scratch_bytes) + " bytes of scratch, run with " +
                  std::to_string(pool.size()) + " and " + std::to_string(scratch.size()));
}

Range split_range(std::size_t count, std::size_t parts, std::size_t index, std::size_t grain) {
  const std::size_t grains = ceil_div(count, grain);
  return {std::min(count, grains * index / parts * grain),
          std::min(count, grains * (index + 1) / parts * grain)};
}

void add_partials(const float* partials, std::size_t count, std::size_t stride, std::size_t size,
                  float* result, ThreadPool& pool) {
  if (count == 0) return;
  pool.parallel_ranges(size, 1024, [&](std::size_t begin, std::size_t end, int) {
    for (std::size_t part = 0; part < count; ++part) {
      const float* __restrict source = partials + part * stride;
      float* __restrict sum = result;
      for (std::size_t n = begin; n < end; ++n) sum[n] += source[n];
    }
  });
}

}  // namespace convoy
