// A network and one training step of it. The convolutional layers are computed by whoever is handed
// in as ConvExecutor, with pooling and the update where it offers to; everything else runs here, on
// the master's cores.
//
// Activations are [channels][height][width][batch], as everywhere in the engine.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "engine/base/stop_token.h"
#include "engine/base/thread_pool.h"
#include "engine/conv/conv_executor.h"
#include "engine/network/network_spec.h"
#include "engine/network/parameters.h"

namespace convoy {

// One piece of the step that the master did itself, for the trace.
struct MasterSlice {
  const char* name;  // "bias, ReLU, pooling 1", "fully connected", "update"; lives for ever
  TimePoint begin, end;
};

struct StepResult {
  double loss = 0.0;  // mean cross-entropy of the batch, natural logarithm
  int correct = 0;    // pictures whose largest logit is the label's (the first among equals)
  std::vector<MasterSlice> slices;
};

// What training steps turn into what it is after them.
struct TrainingState {
  Parameters weights, velocities;
};

// Not synchronised: one thread calls. Owns all maps and gradients of one batch.
class Model {
 public:
  // `pool` computes everything but the convolutions and must outlive the model.
  Model(const NetworkSpec& spec, int batch, ThreadPool& pool);
  ~Model();

  const NetworkSpec& spec() const;
  int batch() const;
  Parameters& parameters();
  const Parameters& parameters() const;

  // One step of stochastic gradient descent with momentum, as PyTorch's SGD without Nesterov and
  // dampening does it. images: [channels][height][width][batch]; labels: `batch` class numbers.
  StepResult train_step(const float* images, const std::uint16_t* labels, const SgdSettings& sgd,
                        ConvExecutor& convolutions);
  // Loss and hits of the first `count` pictures; nothing is changed. slices stays empty.
  StepResult evaluate(const float* images, const std::uint16_t* labels, int count,
                      ConvExecutor& convolutions);
  // The gradients of the last train_step, before weight decay; for tests and comparisons.
  const Parameters& gradients() const;

  // All that a step changes: a copy of it, and going on from one of the same network.
  TrainingState training_state() const;
  void go_on_from(const TrainingState& state);

  // Where the executor keeps weights itself, parameters(), gradients() and training_state() are not
  // up to date. It is given weights and velocities by the first of these, before the first step;
  // the others fetch what it has.
  void place_state(ConvExecutor& convolutions);
  void fetch_state(ConvExecutor& convolutions);
  void fetch_weights(ConvExecutor& convolutions);
  void fetch_gradients(ConvExecutor& convolutions);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace convoy
