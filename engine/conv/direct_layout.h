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
// apart together. Where lines are short for vectors, those of a block can be joined to one run of a
// copy, with a few sums between them that nobody wants.
class DirectLayout {
 public:
  // For blocks of so many lines. Backward-data for stride 1 only; lines are joined only where they
  // can be, see can_join().
  DirectLayout(const ConvProblem& problem, Pass pass, std::size_t block_lines, bool joined);
  // Lines that are no whole vectors, at stride 1 or copied apart.
  static bool can_join(const ConvProblem& problem, Pass pass);

  std::size_t lines, runs, run;     // of a map; runs of a line; floats of a run
  std::size_t channels;             // maps that the taps reach into
  std::size_t line_step, run_step;  // from what a tap multiplies in a line, a run, to the next one
  bool copied, joined;
  // Of what each (channel, i, j) multiplies, from the first float of a run.
  std::vector<std::int32_t> offsets;

  // Whether the offsets are right; too large maps have none.
  bool is_possible() const { return !offsets.empty(); }
  // Floats of the run that joins so many lines, which begin line_step apart in it.
  std::size_t joined_run(std::size_t block) const { return (block - 1) * line_step + run; }
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
  // padded line, then columns 1, phases + 1, ... Where lines are joined, those of one row phase and
  // one of columns are neighbours: rows 0, row_phases, 2 * row_phases, ...
  std::ptrdiff_t phases_ = 1, row_phases_ = 1;
  std::size_t phase_ = 0, phase_step_ = 0, row_phase_step_ = 0;
  bool is_inside() const;
  std::size_t row_at(std::size_t row) const;  // of a copy, from its map's first float
  void copy_line(const float* from, float* to) const;
};

}  // namespace convoy
