// Larger strides, for an algorithm that has stride 1 only and hardly minds larger kernels: places
// of the input that lie a stride apart become channels of their own ("space to depth"), and the
// kernel, with zeros up to a multiple of the stride, is divided alike. What is left is a
// convolution at stride 1 without padding, of stride * stride times the channels, whose output is
// that of the strided one. All passes do that, so that they can share what the algorithm shares.
#pragma once

#include <memory>

#include "engine/conv/conv_algorithm.h"

namespace convoy {

// The convolution at stride 1. Its channels are [channel][row phase][column phase].
ConvProblem space_to_depth(const ConvProblem& problem);

// The algorithm, and at larger strides what it makes of space_to_depth(). Scratch then holds the
// two operands, or the operand and the result, that change their shape.
class SpaceToDepthConv : public ConvAlgorithm {
 public:
  explicit SpaceToDepthConv(std::unique_ptr<const ConvAlgorithm> algorithm)
      : algorithm_(std::move(algorithm)) {}

  const char* name() const override { return algorithm_->name(); }
  bool supports(const ConvProblem& problem, Pass pass) const override;
  bool is_accurate(const ConvProblem& problem, Pass pass) const override;
  double estimated_seconds(const ConvProblem& problem, Pass pass, int threads) const override;
  std::unique_ptr<ConvPlan> plan(const ConvProblem& problem, Pass pass, int threads,
                                 std::size_t scratch_limit, OperandSet shared) const override;

 private:
  std::unique_ptr<const ConvAlgorithm> algorithm_;
};

}  // namespace convoy
