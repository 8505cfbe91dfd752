// Where a pass that sums straight from the maps finds what it multiplies: lines of the maps
// themselves or, where they need padding, a copy of a few of them at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "engine/conv/column_matrix.h"
#include "engine/conv/conv_problem.h"
#include "engine/conv/range.h"

namespace convoy {

// Sums run along lines of the output (backward-data: of the input, whose gradient is the result).
// A line is cut into runs, over which what any tap multiplies lies side by side: whole lines at
// stride 1, else the pictures at one place; or whole lines of a copy that keeps columns a stride
// apart together.
class DirectLayout {
 public:
  // For blocks of so many lines. Backward-data for stride 1 only.
  DirectLayout(const ConvProblem& problem, Pass pass, std::size_t block_lines);

  std::size_t lines, runs, run;     // of a map; runs of a line; floats of a run
  std::size_t channels;             // maps that the taps reach into
  std::size_t line_step, run_step;  // from what a tap multiplies in a line, a run, to the next one
  bool copied;
  // Of what each (channel, i, j) multiplies, from the first float of a run.
  std::vector<std::int32_t> offsets;

  // Whether the offsets are right; too large maps have none.
  bool is_possible() const { return !offsets.empty(); }
  std::size_t map() const { return lines * runs * run; }  // floats of a map of the sums
  std::size_t copy_floats() const { return copied ? channels * plane_ : 0; }
  bool copies_by_stride() const { return phases_ > 1; }
  std::size_t copied_lines() const { return copied ? channels * block_lines_ : 0; }
  // Where what the first run of these lines needs begins: in `maps` or, copied, in `copy`, which
  // has copy_floats(). In a copy whole vectors may be read to the end of a run and beyond.
  const float* place(const float* maps, const Range& block, float* copy) const;

 private:
  ColumnMatrix matrix_;            // its input is not set
  std::size_t block_lines_;        // of the maps, for a block
  std::size_t pitch_, plane_ = 0;  // floats between lines, maps
  // A copied line is these many pieces of so many floats: columns 0, phases, 2 * phases, ... of the
  // padded line, then columns 1, phases + 1, ...
  std::ptrdiff_t phases_ = 1;
  std::size_t phase_ = 0;
  bool is_inside() const;
  void copy_line(const float* from, float* to) const;
};

}  // namespace convoy
