#include "engine/conv/gemm_blocking.h"

#include <algorithm>

#include "engine/base/rounding.h"
#include "engine/conv/gemm_tasks.h"

namespace convoy {
namespace {

constexpr std::size_t kLine = 16;  // floats in a cache line
constexpr std::size_t kSmallestSide = 16;
constexpr std::size_t kTasksPerThread = 4;
// Products with fewer rows a thread lose more than adding up partial results costs.
constexpr std::size_t kFewestRows = 192;
// One matrix product is never interrupted; this many operations take well under 0.1 s a core.
constexpr double kMostFlops = 4e9;

// The shape of block that a pass runs best with, from measurements with OpenBLAS on AVX-512
// cores: the inner side of the product a small multiple of its own inner block (about 400),
// the outer long enough to pay for packing the other operand again.
struct Preference {
  std::size_t rows, columns;
};
Preference preference(Pass pass) {
  switch (pass) {
    case Pass::kForward:
      return {512, 2048};
    case Pass::kBackwardData:
      return {1024, 1024};
    case Pass::kBackwardWeights:
      break;
  }
  return {1280, 512};
}

// The matrices of a pass and how many threads share them.
struct Work {
  Pass pass;
  std::size_t kernels, rows, columns;
  std::size_t units;  // what the rows are divided by: whole channels in backward-data
  std::size_t result_size;
  std::size_t threads;
};

// 1 when `parts` parts of `units` are equally large, less the longer the largest keeps the others
// waiting.
double balance(std::size_t units, std::size_t parts) {
  return static_cast<double>(units) / static_cast<double>(parts * ceil_div(units, parts));
}

// A few tasks for each thread even out cores of unequal speed, while a task keeps enough of the
// side that it divides.
std::size_t tasks_per_thread(std::size_t side, std::size_t threads, std::size_t smallest,
                             std::size_t preferred) {
  const std::size_t each = side / threads;
  return std::max({std::size_t{1}, std::min(kTasksPerThread, each / smallest), each / preferred});
}

void divide_forward(const Work& work, GemmBlocking* b) {
  if (work.columns / work.threads >= 4 * kLine) {
    b->column_parts = work.threads * tasks_per_thread(work.columns, work.threads, 512,
                                                      preference(work.pass).columns);
    return;
  }
  // Hardly any columns: divide the kernels too.
  b->column_parts = std::max<std::size_t>(1, work.columns / (4 * kLine));
  b->kernel_parts =
      std::min(ceil_div(work.threads, b->column_parts), ceil_div(work.kernels, kSmallestSide));
}

// Divides the rows among as many groups of threads as get enough of them, equally, and the columns
// among the threads of a group, whose partial results may take half of the scratch.
void divide_backward(const Work& work, std::size_t limit, GemmBlocking* b) {
  std::size_t groups = 1;
  for (std::size_t n = 2; n <= work.threads; ++n)
    if (work.threads % n == 0 && work.rows / n >= kFewestRows && balance(work.units, n) >= 0.9)
      groups = n;
  if (groups == work.threads) {
    const std::size_t tasks =
        tasks_per_thread(work.rows, work.threads, 256, preference(work.pass).rows);
    b->row_parts = std::min(work.threads * tasks, work.units);
    return;
  }
  const std::size_t team = work.threads / groups;
  b->row_parts = groups;
  for (std::size_t tasks =
           std::clamp<std::size_t>(work.columns / (team * 2048), 1, kTasksPerThread);
       tasks > 0; --tasks) {
    b->column_parts = team * tasks;
    const bool none_empty = b->column_parts <= ceil_div(work.columns, kLine);
    if (none_empty && b->partial_floats(work.result_size) <= limit / 2) return;
  }
  b->row_parts = std::min(work.threads, work.units);
  b->column_parts = 1;
}

// The block that a pass prefers, longer along the columns where there are few rows, shrunk to
// `limit` floats. False when not even the smallest fits.
bool choose_block(const Work& work, std::size_t limit, GemmBlocking* b) {
  const Preference preferred = preference(work.pass);
  const std::size_t smallest_rows = std::min(work.rows, kSmallestSide);
  const std::size_t smallest_columns = std::min(work.columns, kSmallestSide);
  const std::size_t smallest = smallest_rows * smallest_columns;
  if (round_up(smallest, kLine) > limit) return false;
  const double per_element = 2.0 * static_cast<double>(ceil_div(work.kernels, b->kernel_parts));
  const auto interruptible = static_cast<std::size_t>(kMostFlops / per_element);
  const std::size_t most =
      std::min({limit, std::max(interruptible, smallest), preferred.rows * preferred.columns});
  b->row_block = std::min(preferred.rows, work.rows);
  b->column_block = std::clamp(most / b->row_block, smallest_columns, work.columns);
  if (b->row_block * b->column_block > most)
    b->row_block = std::max(smallest_rows, most / b->column_block);
  return true;
}

}  // namespace

std::size_t GemmBlocking::block_floats() const {
  return round_up(row_block * column_block, kLine);
}
std::size_t GemmBlocking::partial_floats(std::size_t result_size) const {
  return (column_parts - 1) * round_up(result_size, kLine);
}
std::size_t GemmBlocking::scratch_bytes(int threads, std::size_t result_size) const {
  return sizeof(float) *
         (static_cast<std::size_t>(threads) * block_floats() + partial_floats(result_size));
}

std::optional<GemmBlocking> choose_gemm_blocking(const ConvProblem& problem, Pass pass, int threads,
                                                 std::size_t scratch_limit) {
  const bool whole_channels = pass == Pass::kBackwardData;
  Work work;
  work.pass = pass;
  work.kernels = static_cast<std::size_t>(problem.out_channels);
  work.rows = problem.kernel_elements();
  work.columns = problem.output_size() / work.kernels;
  work.units = whole_channels ? static_cast<std::size_t>(problem.in_channels) : work.rows;
  work.result_size = whole_channels ? problem.input_size() : problem.weight_size();
  work.threads = is_soon_done(problem) ? 1 : static_cast<std::size_t>(threads);

  const std::size_t limit = scratch_limit / sizeof(float);
  GemmBlocking blocking;
  std::size_t partial = 0;
  if (pass == Pass::kForward) {
    divide_forward(work, &blocking);
  } else {
    divide_backward(work, limit, &blocking);
    partial = blocking.partial_floats(work.result_size);
  }
  const std::size_t block_limit = (limit - partial) / work.threads / kLine * kLine;
  if (!choose_block(work, block_limit, &blocking)) return std::nullopt;
  return blocking;
}

}  // namespace convoy
