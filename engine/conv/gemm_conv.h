// Convolution as matrix products over blocks of the column matrix (im2col), each block small enough
// for a core's caches and for the scratch limit. See im2col.h for the column matrix, X~ below, of
// kernel_elements() x (out_height * out_width * batch):
//
//   forward           Y  = W X~        a thread owns a range of Y's columns
//   backward-weights  dW = dY X~^T     a thread owns a range of X~'s rows
//   backward-data     dX~ = W^T dY     a thread owns a range of input channels and adds dX~ up
//
// Where there are too few rows or channels for all threads (the first layer), the threads own
// ranges of columns in the backward passes too, and their partial results are added up in a fixed
// order. So a result depends on the problem, the number of threads and the scratch limit, never on
// timing.
#pragma once

#include "engine/conv/conv_algorithm.h"

namespace convoy {

class GemmConv : public ConvAlgorithm {
 public:
  const char* name() const override { return "gemm"; }
  // Every problem whose matrices have sides that BLAS can count.
  bool supports(const ConvProblem& problem, Pass pass) const override;
  double estimated_seconds(const ConvProblem& problem, Pass pass, int threads) const override;
  std::unique_ptr<ConvPlan> plan(const ConvProblem& problem, Pass pass, int threads,
                                 std::size_t scratch_limit, OperandSet shared) const override;
};

}  // namespace convoy
