// Convolution in the frequency domain: transforms of tiles, one complex matrix product for each
// point of the spectrum, transforms back (Mathieu et al. 2013; Zlateski et al. 2018).
//
// For stride 1. The images (and tiles of larger images) of a batch lie side by side in the lanes of
// the transforms and in the columns of the products. See fft_geometry.h for the tiles and what the
// passes compute, fft_transform.h for the spectrum, spectral_blocking.h for the work within a limit
// of scratch. A result depends on the problem and the scratch limit, never on timing.
#pragma once

#include "engine/conv/conv_algorithm.h"

namespace convoy {

class FftConv : public ConvAlgorithm {
 public:
  const char* name() const override { return "fft"; }
  // Stride 1 and kernels of at most 11 x 11.
  bool supports(const ConvProblem& problem, Pass pass) const override;
  // Where each result is a sum of 128 products or more.
  bool is_accurate(const ConvProblem& problem, Pass pass) const override;
  double estimated_seconds(const ConvProblem& problem, Pass pass, int threads) const override;
  std::unique_ptr<ConvPlan> plan(const ConvProblem& problem, Pass pass, int threads,
                                 std::size_t scratch_limit, OperandSet shared) const override;
};

}  // namespace convoy
