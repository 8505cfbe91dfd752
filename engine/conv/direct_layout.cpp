#include "engine/conv/direct_layout.h"

#include <algorithm>
#include <limits>

#include "engine/base/rounding.h"
#include "engine/conv/pieces.h"
#include "engine/conv/product_panel.h"

namespace convoy {
namespace {

// Maps whose lines lie a power of two apart share few sets of the caches; more lines than this
// would drive one another out, before more rows of the result than these read them again.
constexpr std::size_t kMostLinesInPlace = 16, kRowsThatRead = 2 * kMostRows;

constexpr std::ptrdiff_t kLanesOfRun = kMostLanes;

// Floats from one line or map to the next: an odd number of cache lines, for the same reason.
std::size_t odd_lines(std::size_t floats) {
  return (ceil_div(floats, kMostLanes) | 1) * kMostLanes;
}

}  // namespace

bool DirectLayout::can_join(const ConvProblem& problem, Pass pass) {
  const int width = pass == Pass::kBackwardData ? problem.in_width : problem.out_width();
  const std::ptrdiff_t line = static_cast<std::ptrdiff_t>(width) * problem.batch;
  return line % kLanesOfRun != 0 && (problem.stride_width == 1 || problem.batch % kLanesOfRun != 0);
}

DirectLayout::DirectLayout(const ConvProblem& problem, Pass pass, std::size_t block_lines,
                           bool join)
    : matrix_(pass == Pass::kBackwardData ? columns_of_grad_output(problem, nullptr)
                                          : columns_of_input(problem, nullptr)) {
  const ColumnMatrix& m = matrix_;
  const auto size = [](std::ptrdiff_t n) { return static_cast<std::size_t>(n); };
  const bool backward_data = pass == Pass::kBackwardData;
  lines = size(backward_data ? problem.in_height : problem.out_height());
  channels = size(backward_data ? problem.out_channels : problem.in_channels);
  const bool apart = m.stride_width > 1 && m.batch % kLanesOfRun != 0;
  if (apart) phases_ = m.stride_width;
  run = size(m.stride_width == phases_ ? m.out_line : m.batch);
  runs = size(m.out_line) / run;
  block_lines_ =
      size((static_cast<std::ptrdiff_t>(block_lines) - 1) * m.stride_height + m.kernel_height);
  // Whole vectors that end with a run, whose tails are zero where that matters.
  const bool whole = pass == Pass::kBackwardWeights ? run % kMostLanes == 0 : run >= kMostLanes;
  joined = join;
  const std::size_t rows = size(backward_data ? problem.in_channels : problem.out_channels);
  const bool far_apart =
      rows > kRowsThatRead && channels * size(m.kernel_height) > kMostLinesInPlace;
  copied = joined || apart || !whole || far_apart || !is_inside();
  pitch_ = size(m.line);
  plane_ = size(m.map());
  if (copied) {
    const std::ptrdiff_t step = m.stride_width / phases_;
    const std::ptrdiff_t last = (m.out_line / m.batch - 1) * step + (m.kernel_width - 1) / phases_;
    const std::size_t floats = size((last + 1) * m.batch);
    if (joined) {
      row_phases_ = m.stride_height;
      pitch_ = phase_ = floats;
      row_phase_step_ = ceil_div(block_lines_, size(row_phases_)) * pitch_;
      block_lines_ = row_phase_step_ / pitch_ * size(row_phases_);
      phase_step_ = block_lines_ * pitch_;
      plane_ = odd_lines(size(phases_) * phase_step_ + kMostLanes);
    } else {
      phase_ = phase_step_ = odd_lines(floats + kMostLanes);
      pitch_ = size(phases_) * phase_;
      plane_ = odd_lines(block_lines_ * pitch_);
    }
  }
  line_step = size(m.stride_height / row_phases_) * pitch_;
  run_step = size(m.stride_width * m.batch);
  if (channels * plane_ > size(std::numeric_limits<std::int32_t>::max())) return;
  for (std::size_t c = 0; c < channels; ++c)
    for (std::ptrdiff_t tap = 0; tap < m.taps(); ++tap) {
      const std::ptrdiff_t at = m.turned ? m.taps() - 1 - tap : tap;
      const std::ptrdiff_t i = at / m.kernel_width, j = at % m.kernel_width;
      offsets.push_back(static_cast<std::int32_t>(c * plane_ + row_at(size(i)) +
                                                  size(j % phases_) * phase_step_ +
                                                  size(j / phases_ * m.batch)));
    }
}

bool DirectLayout::is_inside() const {
  const ColumnMatrix& m = matrix_;
  const std::ptrdiff_t last_row =
      (static_cast<std::ptrdiff_t>(lines) - 1) * m.stride_height - m.top + m.kernel_height - 1;
  const std::ptrdiff_t last_column =
      (m.out_line / m.batch - 1) * m.stride_width - m.left + m.kernel_width - 1;
  return m.top <= 0 && m.left <= 0 && last_row < m.height && last_column < m.line / m.batch;
}

std::size_t DirectLayout::row_at(std::size_t row) const {
  const auto phases = static_cast<std::size_t>(row_phases_);
  return row % phases * row_phase_step_ + row / phases * pitch_;
}

const float* DirectLayout::place(const float* maps, const Range& block, float* copy) const {
  const ColumnMatrix& m = matrix_;
  const std::ptrdiff_t first = static_cast<std::ptrdiff_t>(block.begin) * m.stride_height - m.top;
  if (!copied) return maps + first * m.line - m.left * m.batch;
  // Vectors at the end of joined lines reach into what no sum counts, which is to be no NaN.
  const auto needed =
      joined ? static_cast<std::ptrdiff_t>(block_lines_)
             : static_cast<std::ptrdiff_t>(block.size() - 1) * m.stride_height + m.kernel_height;
  for (std::size_t c = 0; c < channels; ++c) {
    float* const plane = copy + c * plane_;
    for (std::ptrdiff_t n = 0; n < needed; ++n) {
      float* const to = plane + row_at(static_cast<std::size_t>(n));
      const std::ptrdiff_t row = first + n;
      if (row >= 0 && row < m.height)
        copy_line(maps + static_cast<std::ptrdiff_t>(c) * m.map() + row * m.line, to);
      else
        for (std::size_t phase = 0; phase < static_cast<std::size_t>(phases_); ++phase)
          std::fill_n(to + phase * phase_step_, phase_, 0.0f);
    }
    if (joined)
      std::fill(plane + static_cast<std::size_t>(phases_) * phase_step_, plane + plane_, 0.0f);
  }
  return copy;
}

void DirectLayout::copy_line(const float* from, float* to) const {
  const ColumnMatrix& m = matrix_;
  const auto width = static_cast<std::ptrdiff_t>(phase_);
  if (phases_ == 1) {
    const std::ptrdiff_t left = m.left * m.batch;
    const std::ptrdiff_t begin = std::clamp<std::ptrdiff_t>(left, 0, width);
    const std::ptrdiff_t end = std::clamp(m.line + left, begin, width);
    std::fill(to, to + begin, 0.0f);
    std::copy(from + (begin - left), from + (end - left), to + begin);
    std::fill(to + end, to + width, 0.0f);
    return;
  }
  const std::ptrdiff_t columns = m.line / m.batch, room = width / m.batch;
  for (std::ptrdiff_t phase = 0; phase < phases_; ++phase, to += phase_step_) {
    // Column n of the phase is column phase - left + n * phases of the map.
    const auto first_from = [&](std::ptrdiff_t column) {
      return std::clamp<std::ptrdiff_t>((column + m.left - phase + phases_ - 1) / phases_, 0, room);
    };
    const std::ptrdiff_t begin = first_from(0), end = first_from(columns);
    std::fill(to, to + begin * m.batch, 0.0f);
    copy_pieces(from + (phase - m.left + begin * phases_) * m.batch, phases_ * m.batch,
                to + begin * m.batch, m.batch, static_cast<std::size_t>(m.batch), end - begin);
    std::fill(to + end * m.batch, to + width, 0.0f);
  }
}

}  // namespace convoy
