#include "engine/conv/im2col.h"

#include <algorithm>
#include <cstring>

namespace convoy {
namespace {

using Index = std::ptrdiff_t;

// Walks the part `rows` x `columns` in memory order and calls run(block_offset, input_offset,
// length) where it takes consecutive input elements and gap(block_offset, length) where it lies on
// padding.
template <class Run, class Gap>
void walk(const ConvProblem& p, Range rows, Range columns, const Run& run, const Gap& gap) {
  const Index batch = p.batch, width = p.in_width, height = p.in_height;
  const Index line = p.out_width() * batch;  // one row of an output map
  const Index taps = static_cast<Index>(p.kernel_height) * p.kernel_width;
  Index offset = 0;
  for (Index row = static_cast<Index>(rows.begin); row < static_cast<Index>(rows.end); ++row) {
    const Index channel = row / taps, i = row % taps / p.kernel_width, j = row % p.kernel_width;
    Index column = static_cast<Index>(columns.begin);
    while (column < static_cast<Index>(columns.end)) {
      const Index y = column / line, begin = column % line;
      const Index end = std::min(line, begin + static_cast<Index>(columns.end) - column);
      const Index h = y * p.stride_height + i - p.padding.top;
      const Index image_row = (channel * height + h) * width * batch;
      column += end - begin;
      if (h < 0 || h >= height) {
        gap(offset, end - begin);
        offset += end - begin;
      } else if (p.stride_width == 1) {
        const Index shift = (j - p.padding.left) * batch;
        const Index first = std::clamp(-shift, begin, end);
        const Index last = std::clamp(width * batch - shift, first, end);
        if (first > begin) gap(offset, first - begin);
        if (last > first) run(offset + first - begin, image_row + first + shift, last - first);
        if (end > last) gap(offset + last - begin, end - last);
        offset += end - begin;
      } else {
        for (Index at = begin; at < end;) {
          const Index x = at / batch, image = at % batch;
          const Index length = std::min(batch - image, end - at);
          const Index w = x * p.stride_width + j - p.padding.left;
          if (w < 0 || w >= width)
            gap(offset, length);
          else
            run(offset, image_row + w * batch + image, length);
          offset += length;
          at += length;
        }
      }
    }
  }
}

}  // namespace

void im2col(const ConvProblem& problem, const float* input, Range rows, Range columns,
            float* block) {
  walk(
      problem, rows, columns,
      [&](Index to, Index from, Index length) {
        std::memcpy(block + to, input + from, static_cast<std::size_t>(length) * sizeof(float));
      },
      [&](Index to, Index length) { std::fill_n(block + to, length, 0.0f); });
}

void add_col2im(const ConvProblem& problem, const float* block, Range rows, Range columns,
                float* grad_input) {
  walk(
      problem, rows, columns,
      [&](Index from, Index to, Index length) {
        const float* __restrict source = block + from;
        float* __restrict destination = grad_input + to;
        for (Index n = 0; n < length; ++n) destination[n] += source[n];
      },
      [](Index, Index) {});
}

}  // namespace convoy
