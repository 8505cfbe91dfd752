// Backward-data at larger strides, for an algorithm that has it at stride 1 only: the polyphase
// decomposition (Vaidyanathan, "Multirate Systems and Filter Banks", 1993).
//
// At stride s an input's place is reached by every s-th tap alone, the same ones for all places of
// a phase, which lie s apart. So the gradient of a phase is a backward-data pass at stride 1 with a
// smaller kernel of those taps: s x s passes that share no multiplication and leave none out. Their
// results are laid between one another at the end.
#pragma once

#include <memory>
#include <vector>

#include "engine/conv/conv_algorithm.h"

namespace convoy {

// The places (first_row + n * stride_height, first_column + m * stride_width) of the input, and
// what gives their gradient.
struct InputPhase {
  ConvProblem problem;      // at stride 1; its taps are (row + n * stride_height, ...)
  int row = 0, column = 0;  // the first of its taps
  int first_row = 0, first_column = 0;
};
// Those that any tap reaches; the gradient of all other places is zero.
std::vector<InputPhase> input_phases(const ConvProblem& problem);

// The algorithm, and by phases what it does not have, up to 64 of them. In backward-data at larger
// strides scratch holds the result and the weights once more; short of it, only those of some
// channels at a time.
class PolyphaseConv : public ConvAlgorithm {
 public:
  explicit PolyphaseConv(std::unique_ptr<const ConvAlgorithm> algorithm)
      : algorithm_(std::move(algorithm)) {}

  const char* name() const override { return algorithm_->name(); }
  bool supports(const ConvProblem& problem, Pass pass) const override;
  bool is_accurate(const ConvProblem& problem, Pass pass) const override;
  double estimated_seconds(const ConvProblem& problem, Pass pass, int threads) const override;
  std::unique_ptr<ConvPlan> plan(const ConvProblem& problem, Pass pass, int threads,
                                 std::size_t scratch_limit, OperandSet shared) const override;

 private:
  // Whether it holds for the problem of every phase.
  template <class Holds>
  bool all_phases(const ConvProblem& problem, const Holds& holds) const;

  std::unique_ptr<const ConvAlgorithm> algorithm_;
};

}  // namespace convoy
