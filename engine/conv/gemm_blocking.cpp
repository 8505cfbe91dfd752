#include "engine/conv/gemm_blocking.h"

#include <algorithm>

namespace convoy {
namespace {

constexpr std::size_t kLine = 16;  // floats in a cache line
constexpr std::size_t kSmallestSide = 16;
// One matrix product is never interrupted; this many operations take well under 0.1 s a core.
constexpr double kMostFlops = 4e9;

std::size_t ceil_div(std::size_t a, std::size_t b) {
  return (a + b - 1) / b;
}
std::size_t round_up(std::size_t a, std::size_t b) {
  return ceil_div(a, b) * b;
}

// The shape of block that a pass runs best with, from measurements with OpenBLAS on AVX-512 and
// AVX2 cores: the inner side of the product a small multiple of its own inner block (about 400),
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

// How many parts of about `preferred` a side of `count` is worth: a few for each thread while they
// stay at least `smallest`, and as many for one thread as for the other.
std::size_t part_count(std::size_t count, std::size_t preferred, std::size_t smallest,
                       std::size_t threads) {
  std::size_t parts = std::max(ceil_div(count, preferred), std::min(4 * threads, count / smallest));
  parts = std::max<std::size_t>(parts, 1);
  const std::size_t even = round_up(parts, threads);
  return count / even >= kSmallestSide * 4 ? even : parts;
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

std::optional<GemmBlocking> choose_gemm_blocking(const ConvProblem& p, Pass pass, int thread_count,
                                                 std::size_t scratch_limit) {
  const auto threads = static_cast<std::size_t>(thread_count);
  const auto channels = static_cast<std::size_t>(p.in_channels);
  const auto kernels = static_cast<std::size_t>(p.out_channels);
  const std::size_t rows = p.kernel_elements(), columns = p.output_size() / kernels;
  const std::size_t limit = scratch_limit / sizeof(float);
  const Preference preferred = preference(pass);

  GemmBlocking b;
  if (pass == Pass::kForward) {
    b.column_parts = part_count(columns, preferred.columns, 512, threads);
    if (b.column_parts < threads)
      b.kernel_parts =
          std::min(ceil_div(threads, b.column_parts), ceil_div(kernels, kSmallestSide));
  } else {
    const std::size_t result_size = pass == Pass::kBackwardData ? p.input_size() : p.weight_size();
    const bool whole_channels = pass == Pass::kBackwardData;
    const std::size_t units = whole_channels ? channels : rows;
    const std::size_t rows_each = rows / threads, units_each = units / threads;
    // Rows without reduction while every thread gets enough, and nearly as many as the others.
    if (threads == 1 || (rows_each >= 192 && (units_each >= 16 || units % threads == 0))) {
      const std::size_t unit_rows = rows / units;
      const std::size_t smallest = std::max<std::size_t>(1, ceil_div(256, unit_rows));
      const std::size_t most = std::max<std::size_t>(1, preferred.rows / unit_rows);
      b.row_parts = std::max(ceil_div(units, most), std::min(4 * threads, units / smallest));
      b.row_parts = std::max(threads, round_up(b.row_parts, threads));
      b.row_parts = std::min(b.row_parts, units);
    } else {
      b.column_parts = std::clamp<std::size_t>(columns / 2048, threads, 4 * threads);
      b.column_parts = std::min(b.column_parts, ceil_div(columns, kSmallestSide));
      // Partial results may take half of the scratch.
      const std::size_t fitting = limit / 2 / round_up(result_size, kLine) + 1;
      b.column_parts = std::min(b.column_parts, fitting);
      if (b.column_parts < threads) {
        b.column_parts = 1;
        b.row_parts = std::min(threads, units);
      }
    }
    const std::size_t partial = b.partial_floats(result_size);
    if (partial > limit) return std::nullopt;
  }

  const std::size_t result_size = pass == Pass::kBackwardData ? p.input_size() : p.weight_size();
  const std::size_t partial = pass == Pass::kForward ? 0 : b.partial_floats(result_size);
  const std::size_t block_limit = (limit - partial) / threads / kLine * kLine;
  const std::size_t smallest_rows = std::min(rows, kSmallestSide);
  const std::size_t smallest_columns = std::min(columns, kSmallestSide);
  if (round_up(smallest_rows * smallest_columns, kLine) > block_limit) return std::nullopt;

  b.row_block = std::min(preferred.rows, rows);
  b.column_block = std::min(preferred.columns, columns);
  // A matrix with one short side takes a longer block along the other.
  const double per_element = 2.0 * static_cast<double>(ceil_div(kernels, b.kernel_parts));
  const auto most = static_cast<std::size_t>(std::max(1.0, kMostFlops / per_element));
  const std::size_t budget =
      std::min(block_limit, std::max(most, smallest_rows * smallest_columns));
  const std::size_t ideal = std::min(budget, preferred.rows * preferred.columns);
  if (b.row_block * b.column_block < ideal) {
    if (pass != Pass::kForward || b.row_block == rows)
      b.column_block = std::min(columns, std::max(b.column_block, ideal / b.row_block));
  }
  if (b.row_block * b.column_block > budget)
    b.column_block = std::max(smallest_columns, budget / b.row_block);
  if (b.row_block * b.column_block > budget)
    b.row_block = std::max(smallest_rows, budget / b.column_block);
  return b;
}

Range split_range(std::size_t count, std::size_t parts, std::size_t index, std::size_t grain) {
  const std::size_t grains = ceil_div(count, grain);
  return {std::min(count, grains * index / parts * grain),
          std::min(count, grains * (index + 1) / parts * grain)};
}

}  // namespace convoy
