// Whoever computes a network's convolutional layers: one device, or a cluster of them.
#pragma once

#include <vector>

#include "engine/conv/conv_problem.h"
#include "engine/conv/timeline.h"

namespace convoy {

// Layers are numbered from 0. For each layer of a step forward() comes first, then backward().
// `input` and `weight` must stay valid and unchanged from forward() until backward() of that layer
// has returned; a step that is only evaluated ends after forward(). Calls come from one thread.
// Errors: Error(kDevice) when a device fails for good, Interrupted when stopped.
class ConvExecutor {
 public:
  virtual ~ConvExecutor() = default;
  // Shapes as in ConvProblem of that layer.
  virtual void forward(int layer, const float* input, const float* weight, float* output) = 0;
  // Both gradients of the layer; `grad_input` is null where nobody needs it (the first layer).
  virtual void backward(int layer, const float* grad_output, float* grad_weight,
                        float* grad_input) = 0;
};

}  // namespace convoy
