// The convolutional layers of a network, divided among the devices of a cluster.
//
// Split by kernels, the input goes to every device; each computes the output maps of its own
// kernels, which come back side by side. Backward, each gets the gradient of its own maps, returns
// the gradient of its own kernels and its share of the input's gradient. Split by batch, every
// device has all kernels and some of the pictures, and the weights' gradient is what comes back in
// shares. The master sums shares, always in the order of the devices, so that a split gives the
// same bits every time.
#pragma once

#include <vector>

#include "engine/base/thread_pool.h"
#include "engine/cluster/cluster.h"
#include "engine/cluster/layer_plan.h"
#include "engine/conv/conv_executor.h"
#include "engine/tensor/buffer.h"

namespace convoy {

class DistributedConv : public ConvExecutor {
 public:
  // Sets the layers up on the cluster. `pool` sums on the master's cores. Both must outlive this.
  DistributedConv(Cluster& cluster, const ClusterPlan& plan, const DistributionOptions& options,
                  ThreadPool& pool);
  // Between two steps, or where one was given up half way: from now on the layers are divided as
  // `plan` says. Resident weights move with their velocities; what an unfinished step has measured
  // is dropped. When it throws, a layer may be set up in part: call it again before anything is
  // computed.
  void reconfigure(const ClusterPlan& plan);

  void forward(int layer, const LayerForward& operands) override;
  void backward(int layer, const LayerBackward& operands) override;
  bool pools() const override { return options_.fuse_pooling; }
  bool keeps_weights(int layer) const override;
  void update(const SgdFactors& factors) override;
  void place_weights(int layer, WeightState state, const LayerWeights& from) override;
  void fetch_weights(int layer, WeightState state, const LayerWeights& to) override;

  // What the devices did since the last call, and how long the layers took in all.
  std::vector<Slice> take_slices();
  SteadyClock::duration take_time();

 private:
  struct Layer {
    ConvProblem problem;
    SplitMode split;
    std::vector<LayerPart> parts;  // [device]
  };
  // A worker's shares of what is summed.
  struct Shares {
    FloatBuffer grad_input, grad_weight, grad_bias;
  };

  // A layer's resident weights on their way from one division to another.
  struct Kept {
    FloatBuffer weight, velocity, bias, bias_velocity;
  };

  void set_up(const ClusterPlan& plan);
  void fetch_kept();
  // Gives every device with a part of the layer its command, which `describe` completes.
  template <class Describe>
  std::vector<WorkerReport> exchange(int number, CommandKind kind, const Describe& describe);
  void move_weights(CommandKind kind, int number, WeightState state, const LayerWeights& whole);
  void record(int number, Pass wait_pass, TimePoint begin, TimePoint end,
              const std::vector<WorkerReport>& reports);
  // Sums one kind of share over the devices with a part; where device 0 has no memory for its own,
  // it has put it into `sum`.
  void sum_shares(const Layer& layer, float* sum, std::size_t size, FloatBuffer Shares::*what);

  Cluster& cluster_;
  DistributionOptions options_;
  ThreadPool& pool_;
  std::vector<Layer> layers_;
  std::vector<Shares> shares_;  // [device]
  std::vector<Kept> kept_;      // [layer]; empty but within reconfigure(), or after it has failed
  std::vector<Slice> slices_;
  SteadyClock::duration time_{};
};

}  // namespace convoy
