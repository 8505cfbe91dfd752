// Whoever computes a network's convolutional layers: one device, or a cluster of them.
#pragma once

#include "engine/conv/conv_problem.h"
#include "engine/conv/timeline.h"
#include "engine/tensor/elementwise.h"

namespace convoy {

// Shapes as in ConvProblem of the layer; `output` and its gradient are pooled maps where the
// executor pools. What the executor keeps itself is null.
struct LayerForward {
  const float* input = nullptr;
  const float* weight = nullptr;
  float* output = nullptr;
  const float* bias = nullptr;  // [out_channels]; read where the executor pools
  bool training = true;         // whether backward() of this layer will follow
};
struct LayerBackward {
  const float* grad_output = nullptr;
  float* grad_weight = nullptr;
  float* grad_input = nullptr;  // null where nobody needs it (the first layer)
  float* grad_bias = nullptr;   // [out_channels]; written where the executor pools
};

// A layer's trainable values, or what else has their shape.
struct LayerWeights {
  float* weight = nullptr;  // [out_channels][in_channels][kernel_height][kernel_width]
  float* bias = nullptr;    // [out_channels]; null where the executor does not keep it
};
enum class WeightState { kValue, kVelocity, kGradient };

// Layers are numbered from 0. For each layer of a step forward() comes first, then backward().
// `input` and `weight` must stay valid and unchanged from forward() until backward() of that layer
// has returned; a step that is only evaluated ends after forward(). Calls come from one thread.
// Errors: Error(kDevice) when a device fails for good, Interrupted when stopped.
class ConvExecutor {
 public:
  virtual ~ConvExecutor() = default;
  virtual void forward(int layer, const LayerForward& operands) = 0;
  // All gradients of the layer.
  virtual void backward(int layer, const LayerBackward& operands) = 0;

  // Whether the executor adds the bias, rectifies and pools 2x2 itself: forward() gives pooled maps
  // and backward() takes their gradient.
  virtual bool pools() const { return false; }
  // Whether the executor keeps the layer's weights (with the bias where it pools), their gradients
  // and velocities, and updates them itself.
  virtual bool keeps_weights(int layer) const { return static_cast<void>(layer), false; }

  // For the layers whose weights it keeps. The update of all of them, after all backward() calls of
  // a step:
  virtual void update(const SgdFactors& factors) { static_cast<void>(factors); }
  // Gives and fetches the whole layer's; velocities start as zeros with every new value.
  virtual void place_weights(int layer, WeightState state, const LayerWeights& from) {
    static_cast<void>(layer), static_cast<void>(state), static_cast<void>(from);
  }
  virtual void fetch_weights(int layer, WeightState state, const LayerWeights& to) {
    static_cast<void>(layer), static_cast<void>(state), static_cast<void>(to);
  }
};

}  // namespace convoy
