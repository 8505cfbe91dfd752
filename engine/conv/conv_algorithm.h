// One way to compute a convolution on a CPU, behind one interface for all ways.
//
// An algorithm says what it supports and makes plans. A plan is immutable, says how much scratch it
// needs before anything is allocated, and runs many times, also from several threads at once as
// long as each brings its own scratch and pool.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "engine/base/stop_token.h"
#include "engine/base/thread_pool.h"
#include "engine/conv/conv_problem.h"

namespace convoy {

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
};

class ConvPlan {
 public:
  virtual ~ConvPlan() = default;
  virtual std::size_t scratch_bytes() const = 0;
  // Floating-point operations really executed, for honest GFLOP/s beside ConvProblem::flops().
  virtual double executed_flops() const = 0;
  // `scratch` holds at least scratch_bytes() on a 64-byte boundary, contents arbitrary. Throws
  // Interrupted when stopped; the result is then undefined.
  virtual void run(const ConvOperands& operands, std::span<std::byte> scratch, ThreadPool& pool,
                   const StopToken* stop) const = 0;
};

class ConvAlgorithm {
 public:
  virtual ~ConvAlgorithm() = default;
  virtual const char* name() const = 0;  // "fft", "gemm", "reference"
  virtual bool supports(const ConvProblem& problem, Pass pass) const = 0;
  // What a pass would take with all the scratch that it could use, on the machine that the models
  // were measured on: good for comparing algorithms, not for predicting times. For supported
  // problems.
  virtual double estimated_seconds(const ConvProblem& problem, Pass pass, int threads) const = 0;
  // A plan for `threads` threads that needs at most `scratch_limit` bytes, working in blocks where
  // the whole would not fit; null when even the smallest block does not fit.
  virtual std::unique_ptr<ConvPlan> plan(const ConvProblem& problem, Pass pass, int threads,
                                         std::size_t scratch_limit) const = 0;
};

// All algorithms, the plain reference last. They live as long as the program.
const std::vector<const ConvAlgorithm*>& conv_algorithms();
// Null when no algorithm has that name.
const ConvAlgorithm* find_conv_algorithm(const std::string& name);

// Those that support a pass, the fastest by their own estimates first.
std::vector<const ConvAlgorithm*> ranked_conv_algorithms(const ConvProblem& problem, Pass pass,
                                                         int threads);

}  // namespace convoy
