// 3x3 convolution at stride 1 by Winograd's F(2x2, 3x3): transforms of tiles, one matrix product
// for each of 16 points, transforms back (Lavin and Gray 2016). Where batches are small it does
// with less memory and cheaper transforms than the frequency domain; its larger tiles round too
// much. See winograd_transform.h for what the passes compute, spectral_blocking.h for the work
// within a limit of scratch. A result depends on the problem and the scratch limit, never on
// timing.
#pragma once

#include "engine/conv/conv_algorithm.h"

namespace convoy {

class WinogradConv : public ConvAlgorithm {
 public:
  const char* name() const override { return "winograd"; }
  bool supports(const ConvProblem& problem, Pass pass) const override;
  // Where each result is a sum of 64 products or more that are not of padding, a weight's gradient
  // of 128.
  bool is_accurate(const ConvProblem& problem, Pass pass) const override;
  double estimated_seconds(const ConvProblem& problem, Pass pass, int threads) const override;
  std::unique_ptr<ConvPlan> plan(const ConvProblem& problem, Pass pass, int threads,
                                 std::size_t scratch_limit, OperandSet shared) const override;
};

}  // namespace convoy
