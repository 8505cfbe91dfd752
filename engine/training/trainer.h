// The training itself: one step after another over the devices of a cluster, then the test.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "engine/cluster/distributed_conv.h"
#include "engine/network/model.h"
#include "engine/training/run_setup.h"

namespace convoy {

// Used by one thread.
class Trainer {
 public:
  // Takes the set-up's first weights; keeps references to it and to the cluster.
  Trainer(RunSetup& setup, Cluster& cluster, const ClusterPlan& plan);

  // The step `number`, from 1, in order. `bandwidth_mbps` is only noted. Throws Error(kRun) when
  // the loss is no longer a number, what the devices throw, and Interrupted.
  RunStep step(int number, const std::optional<double>& bandwidth_mbps);
  // The part of the test pictures that the model gets right. `progress` hears each batch.
  double test_accuracy(const std::function<void(int done, int total)>& progress);

  // Of the last step, fetched from where they are kept.
  const Parameters& gradients() {
    model_.fetch_gradients(convolutions_);
    cluster_.end_step();
    return model_.gradients();
  }
  // The weights as they are now, fetched from where they are kept.
  const Parameters& parameters() {
    model_.fetch_weights(convolutions_);
    return model_.parameters();
  }

 private:
  RunSetup& setup_;
  Cluster& cluster_;
  Model model_;
  DistributedConv convolutions_;
  Batch batch_;
  std::vector<int> order_;  // of the epoch under way
};

}  // namespace convoy
