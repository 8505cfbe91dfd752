// Stochastic gradient descent with momentum, as torch.optim.SGD does it without Nesterov and
// dampening: v = momentum * v + (g + weight_decay * w), then w = w - learning_rate * v. The first
// step's v is g + weight_decay * w, which zero velocities give by themselves.
#pragma once

#include "engine/base/thread_pool.h"
#include "engine/conv/conv_executor.h"
#include "engine/network/parameters.h"

namespace convoy {

SgdFactors factors_of(const SgdSettings& settings);

// Owns the velocities of one network. Not synchronised.
class Sgd {
 public:
  explicit Sgd(const NetworkSpec& spec);
  Parameters& velocity() { return velocity_; }

  // All weights in one pass, split over the pool's threads, but for those of the convolutional
  // layers that somebody else keeps.
  void update(const SgdFactors& factors, const Parameters& gradients,
              const ConvExecutor& convolutions, Parameters& parameters, ThreadPool& pool);

 private:
  Parameters velocity_;
};

}  // namespace convoy
