// Stands in for the convolutions where only the rest of a training step is looked at.
#pragma once

#include "engine/base/thread_pool.h"
#include "engine/conv/conv_executor.h"
#include "engine/tensor/buffer.h"

namespace convoy::bench {

// Fills each result with fixed values of a normal distribution, as a convolution leaves them, on
// the cores that would compute it; then empties the caches by reading other memory. So every piece
// between two layers starts from memory, whatever ran before it.
class IdleConvolutions : public ConvExecutor {
 public:
  // `pool` must outlive it.
  IdleConvolutions(std::vector<ConvProblem> problems, ThreadPool& pool);

  void forward(int layer, const LayerForward& operands) override;
  void backward(int layer, const LayerBackward& operands) override;
  // Page faults of the process since the last call, but for those in here.
  long take_page_faults();

 private:
  void fill(float* values, std::size_t size);
  void empty_caches();
  const ConvProblem& problem(int layer) const;

  std::vector<ConvProblem> problems_;
  ThreadPool& pool_;
  std::vector<float> normal_;
  FloatBuffer other_;
  std::vector<float> sums_;  // per thread
  long faults_before_ = 0, faults_inside_ = 0;
};

}  // namespace convoy::bench
