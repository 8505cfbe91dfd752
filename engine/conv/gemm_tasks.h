// What the convolutions that sum products have in common, directly or as matrix products:
// tasks for threads, blocks within a task, and partial results.
#pragma once

#include <cstddef>
#include <functional>
#include <span>

#include "engine/base/rounding.h"
#include "engine/base/stop_token.h"
#include "engine/base/thread_pool.h"
#include "engine/conv/conv_problem.h"
#include "engine/conv/range.h"

namespace convoy {

// Whether one thread has done all of a pass before others would have woken up.
bool is_soon_done(const ConvProblem& problem);

// Calls work(n, thread) for every n in [0, count): in the calling thread where all is soon done,
// else on the pool's.
void run_tasks(const ConvProblem& problem, std::size_t count, ThreadPool& pool,
               const StopToken* stop, const std::function<void(std::size_t, int)>& work);

// Throws Error(kRun) where a plan is run with more threads or with less scratch than it is for.
void check_room(const char* what, int threads, std::size_t scratch_bytes, const ThreadPool& pool,
                std::span<const std::byte> scratch);

// Part `index` of [0, count) split into `parts` nearly equal ranges that begin on multiples of
// `grain`; may be empty.
Range split_range(std::size_t count, std::size_t parts, std::size_t index, std::size_t grain);

// Calls work(block) for nearly equal blocks of at most `largest` that cover `range` in order.
template <class Work>
void for_blocks(Range range, std::size_t largest, const Work& work) {
  const std::size_t count = ceil_div(range.size(), largest);
  for (std::size_t n = 0; n < count; ++n) {
    const Range block = split_range(range.size(), count, n, 1);
    work(Range{range.begin + block.begin, range.begin + block.end});
  }
}

// Adds `count` partial results of `size` floats, which begin `stride` apart, to `result`, in order.
void add_partials(const float* partials, std::size_t count, std::size_t stride, std::size_t size,
                  float* result, ThreadPool& pool);

}  // namespace convoy
