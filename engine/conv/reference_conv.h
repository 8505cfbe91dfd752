// The convolution as its definition says, summed in double precision: what every other algorithm is
// tested against, and what computes a problem that no other supports. Needs no scratch.
#pragma once

#include "engine/conv/conv_algorithm.h"

namespace convoy {

class ReferenceConv : public ConvAlgorithm {
 public:
  const char* name() const override { return "reference"; }
  bool supports(const ConvProblem&, Pass) const override { return true; }
  double estimated_seconds(const ConvProblem& problem, Pass pass, int threads) const override;
  std::unique_ptr<ConvPlan> plan(const ConvProblem& problem, Pass pass, int threads,
                                 std::size_t scratch_limit, OperandSet shared) const override;
};

}  // namespace convoy
