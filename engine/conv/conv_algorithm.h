// One way to compute a convolution on a CPU, behind one interface for all ways.
//
// An algorithm says what it supports and makes plans. A plan is immutable, says how much scratch it
// needs before anything is allocated, and runs many times, also from several threads at once as
// long as each brings its own scratch and pool.
#pragma once

#include <array>
#include <bitset>
#include <cstddef>
#include <iterator>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "engine/base/stop_token.h"
#include "engine/base/thread_pool.h"
#include "engine/conv/conv_phases.h"
#include "engine/conv/conv_problem.h"
#include "engine/conv/range.h"

namespace convoy {

// Memory in which the passes of a step share what they make of an operand, such as its transform:
// the first that needs it makes it, the others only read it. Whoever changes the operand clears
// `made`.
struct SharedForm {
  std::span<float> memory;  // on a 64-byte boundary
  bool made = false;
  std::size_t made_pictures = 0;  // of the batch, from the first on, where it is made in parts
};

// Operands by their numbers.
using OperandSet = std::bitset<std::size(kAllOperands)>;

// The pass decides which operands are read and what `result` is:
//   forward           input, weight        -> output
//   backward-data     grad_output, weight  -> grad_input
//   backward-weights  input, grad_output   -> grad_weight
// The result is overwritten, never added to. All 64-byte aligned unless a kernel range makes an
// offset.
struct ConvOperands {
  const float* input = nullptr;
  const float* weight = nullptr;
  const float* grad_output = nullptr;
  float* result = nullptr;
  // Of the batch: only these pictures of the operands are read, and of the result written. An empty
  // range stands for all. For plans that work in parts, which are then run on ranges that adjoin,
  // from the first picture on.
  Range pictures = {0, 0};
  // By Operand; for those that the plan was made to share.
  std::array<SharedForm*, std::size(kAllOperands)> shared = {};
};

class ConvPlan {
 public:
  virtual ~ConvPlan() = default;
  virtual std::size_t scratch_bytes() const = 0;
  // Floats of what it makes of an operand, if it can share that with the plans of the same
  // algorithm for the other passes of this problem that report as many; else 0.
  virtual std::size_t shared_floats(Operand) const { return 0; }
  // Whether the pass may be run on ranges of the batch's pictures that begin on multiples of 16.
  virtual bool works_in_parts() const { return false; }
  // Floating-point operations really executed, for honest GFLOP/s beside ConvProblem::flops().
  virtual double executed_flops() const = 0;
  // `scratch` holds at least scratch_bytes() on a 64-byte boundary, contents arbitrary. Throws
  // Interrupted when stopped; the result is then undefined. Adds to `phases` where that is asked
  // for.
  virtual void run(const ConvOperands& operands, std::span<std::byte> scratch, ThreadPool& pool,
                   const StopToken* stop, ConvPhases* phases = nullptr) const = 0;
};

class ConvAlgorithm {
 public:
  virtual ~ConvAlgorithm() = default;
  virtual const char* name() const = 0;  // "direct", "fft", "gemm", ...
  virtual bool supports(const ConvProblem& problem, Pass pass) const = 0;
  // Whether its results are as accurate as direct sums in single precision (rms, against double).
  virtual bool is_accurate(const ConvProblem&, Pass) const { return true; }
  // What a pass would take with all the scratch that it could use, on the machine that the models
  // were measured on: good for comparing algorithms, not for predicting times. For supported
  // problems.
  virtual double estimated_seconds(const ConvProblem& problem, Pass pass, int threads) const = 0;
  // A plan for `threads` threads that needs at most `scratch_limit` bytes, working in blocks where
  // the whole would not fit; null when even the smallest block does not fit. It gets the forms of
  // the operands in `shared` in memory beside its scratch, with shared_floats() as an earlier plan
  // for the same limit told; null when it cannot share them.
  virtual std::unique_ptr<ConvPlan> plan(const ConvProblem& problem, Pass pass, int threads,
                                         std::size_t scratch_limit,
                                         OperandSet shared = {}) const = 0;
};

// All algorithms, the plain reference last. They live as long as the program.
const std::vector<const ConvAlgorithm*>& conv_algorithms();
// Null when no algorithm has that name.
const ConvAlgorithm* find_conv_algorithm(const std::string& name);

// Those that support a pass and are accurate there, the fastest by their own estimates first.
std::vector<const ConvAlgorithm*> ranked_conv_algorithms(const ConvProblem& problem, Pass pass,
                                                         int threads);

}  // namespace convoy
