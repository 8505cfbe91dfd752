// Convolution as sums straight from the maps ("direct convolution"), in tiles of registers
// (Georganas et al., "Anatomy of high-performance deep learning convolutions on SIMD
// architectures", SC 2018): as pictures lie side by side, so do the places of a line that a tap
// multiplies, and nothing has to be copied but the weights, and a few lines where maps need
// padding. For first layers, and wherever packing would take as long as multiplying.
//
// Threads own ranges of the result: lines of it, or rows of the weights' gradient. So a result
// depends on the problem, the number of threads and the scratch limit, never on timing.
#pragma once

#include "engine/conv/conv_algorithm.h"

namespace convoy {

class DirectConv : public ConvAlgorithm {
 public:
  const char* name() const override { return "direct"; }
  // Backward-data at stride 1 only, the other passes of every problem.
  bool supports(const ConvProblem& problem, Pass pass) const override;
  double estimated_seconds(const ConvProblem& problem, Pass pass, int threads) const override;
  std::unique_ptr<ConvPlan> plan(const ConvProblem& problem, Pass pass, int threads,
                                 std::size_t scratch_limit, OperandSet shared) const override;
};

}  // namespace convoy
