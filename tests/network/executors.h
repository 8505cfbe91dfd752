// Who computes the convolutions in the tests of the network.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "engine/base/random.h"
#include "engine/conv/conv_algorithm.h"
#include "engine/conv/conv_executor.h"
#include "engine/network/network_spec.h"
#include "engine/tensor/buffer.h"
#include "tests/base/test_cores.h"

namespace convoy {

std::vector<float> random_values(std::size_t count, Random& random);
std::vector<std::uint16_t> random_labels(std::size_t count, int classes, Random& random);

// The formula of conv_problem.h, loop by loop, with sums in double: right by inspection.
class NaiveExecutor : public ConvExecutor {
 public:
  NaiveExecutor(const NetworkSpec& spec, int batch);
  void forward(int layer, const LayerForward& operands) override;
  void backward(int layer, const LayerBackward& operands) override;

 private:
  struct Operands {
    const float* input = nullptr;
    const float* weight = nullptr;
  };
  std::vector<ConvProblem> problems_;
  std::vector<Operands> operands_;
};

// One of the engine's own algorithms, on the threads of `pool`, which must outlive it.
class AlgorithmExecutor : public ConvExecutor {
 public:
  AlgorithmExecutor(const NetworkSpec& spec, int batch, const ConvAlgorithm& algorithm,
                    ThreadPool& pool);
  void forward(int layer, const LayerForward& operands) override;
  void backward(int layer, const LayerBackward& operands) override;

 private:
  void run(int layer, Pass pass, const ConvOperands& operands);

  std::vector<ConvProblem> problems_;
  std::vector<ConvOperands> operands_;  // input and weight of each layer
  const ConvAlgorithm& algorithm_;
  ThreadPool& pool_;
  FloatBuffer scratch_;
};

}  // namespace convoy
