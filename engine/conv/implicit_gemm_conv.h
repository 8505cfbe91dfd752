// Convolution as one matrix product whose right factor, the column matrix, is never made: blocks of
// it are packed from the maps as the product needs them ("implicit GEMM", Chetlur et al. 2014). For
// layers where copying takes as long as multiplying: few kernels, small batches, large kernels over
// few channels.
//
// Threads own ranges of the result. Where that has too few rows and columns for all of them
// (backward-weights of the first layer), they own ranges of the sums, and their partial results are
// added up in a fixed order. So a result depends on the problem, the number of threads and the
// scratch limit, never on timing.
#pragma once

#include "engine/conv/conv_algorithm.h"

namespace convoy {

class ImplicitGemmConv : public ConvAlgorithm {
 public:
  const char* name() const override { return "implicit-gemm"; }
  // Backward-data at stride 1 only, the other passes of every problem.
  bool supports(const ConvProblem& problem, Pass pass) const override;
  double estimated_seconds(const ConvProblem& problem, Pass pass, int threads) const override;
  std::unique_ptr<ConvPlan> plan(const ConvProblem& problem, Pass pass, int threads,
                                 std::size_t scratch_limit, OperandSet shared) const override;
};

}  // namespace convoy
