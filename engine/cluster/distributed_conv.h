// The convolutional layers of a network, their kernels split over the devices of a cluster.
//
// The input goes to every device; each computes the output maps of its own kernels, which come back
// side by side. Backward, each gets the gradient of its own maps, returns the gradient of its own
// kernels and its share of the input's gradient; the master sums the shares, always in the order of
// the devices, so that a split gives the same bits every time.
#pragma once

#include <vector>

#include "engine/base/thread_pool.h"
#include "engine/cluster/calibration.h"
#include "engine/conv/conv_executor.h"
#include "engine/tensor/buffer.h"

namespace convoy {

class DistributedConv : public ConvExecutor {
 public:
  // Sets the layers up on the cluster. `pool` sums on the master's cores. Both must outlive this.
  DistributedConv(Cluster& cluster, const ClusterPlan& plan, ThreadPool& pool);

  // Between two steps, or where one was given up half way: from now on the layers are divided as
  // `plan` says. What an unfinished step has measured is dropped. When it throws, a layer may be
  // set up in part: call it again before anything is computed.
  void reconfigure(const ClusterPlan& plan);

  void forward(int layer, const float* input, const float* weight, float* output) override;
  void backward(int layer, const float* grad_output, float* grad_weight,
                float* grad_input) override;

  // What the devices did since the last call, and how long the layers took in all.
  std::vector<Slice> take_slices();
  SteadyClock::duration take_time();

 private:
  struct Part {
    int device;
    std::size_t first_kernel;
    ConvProblem problem;  // with the part's number of kernels
  };
  struct Layer {
    ConvProblem problem;
    std::vector<Part> parts;  // of devices with at least one kernel, in order
  };

  // Where a part begins within the whole layer's arrays, in floats.
  struct Places {
    std::size_t output, weight;
  };

  // Gives every part of the layer its command, whose spans `describe` fills in.
  template <class Describe>
  std::vector<WorkerReport> exchange(int number, CommandKind kind, const Describe& describe);
  void record(int number, Pass wait_pass, TimePoint begin, TimePoint end,
              const std::vector<WorkerReport>& reports);
  void sum_grad_input(int number, float* grad_input);

  Cluster& cluster_;
  ThreadPool& pool_;
  std::vector<Layer> layers_;
  std::vector<FloatBuffer> grad_inputs_;  // [device], the workers' shares of grad_input
  std::vector<Slice> slices_;
  SteadyClock::duration time_{};
};

}  // namespace convoy
