// The training itself: one step after another over the devices of a cluster, then the test; on
// whichever devices there are at the moment.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/cluster/device_lost.h"
#include "engine/cluster/distributed_conv.h"
#include "engine/cluster/rebalance.h"
#include "engine/network/model.h"
#include "engine/training/run_listeners.h"
#include "engine/training/run_setup.h"

namespace convoy {

// Used by one thread.
//
// Where a worker fails or hangs it is quarantined, its part goes to the others, and the step is
// repeated from the same weights, which only the end of a step changes. Listeners hear of it. The
// master's own device cannot be replaced: what it throws ends the training.
//
// Weights that reside on devices are copied to the master every few steps (copy_interval()),
// between two steps. Where some cannot be fetched any more, the training goes back to that copy and
// takes the steps since then again, silently; they are the same steps.
class Trainer {
 public:
  // Takes the set-up's first weights; keeps references to it, the cluster and the listeners.
  Trainer(RunSetup& setup, Cluster& cluster, const ClusterPlan& plan,
          const RunListeners& listeners);
  ~Trainer();

  // The step `number`, from 1, in order. `bandwidth_mbps` is only noted. A repeated step's times
  // are those of its last attempt. Throws Error(kRun) when the loss is no longer a number,
  // Error(kDevice) when nobody can take over, and Interrupted.
  RunStep step(int number, const std::optional<double>& bandwidth_mbps);
  // Before step `number`: measures a quarantined device and gives it its part again. Listeners hear
  // how it went. `device` is an index into the experiment's devices.
  void readmit(int device, int number);
  // Before step `number`, when links have other settings than before: splits, shares and chunks as
  // they pay now (with_links()). Listeners hear of it.
  void follow_links(int number);
  // The part of the test pictures that the model gets right. `progress` hears each batch.
  double test_accuracy(const std::function<void(int done, int total)>& progress);

  // Of the last step, fetched from where they are kept.
  const Parameters& gradients();
  // The weights as they are now, fetched from where they are kept.
  const Parameters& parameters();
  // The division in use.
  const ClusterPlan& plan() const { return plan_; }

 private:
  // All memory that a command's spans may lie in. A device that hangs keeps its hands on it, and
  // the training goes on in another.
  struct Workspace;

  // All that steps have changed up to one of them.
  struct Copy {
    int step = 0;
    TrainingState state;
  };

  RunStep attempt_step(int number, const std::optional<double>& bandwidth_mbps);
  // Takes the steps up to this one that are not in the weights any more.
  void catch_up(int number);
  bool keeps_weights() const;
  // Where it is time for a new copy.
  void copy_state();
  void tell_of_copies() const;
  int attempt_test_batch(const std::vector<int>& order, int first, int valid);
  // Calls `attempt` until no device is lost in it. `what` is repeated then: "step 17".
  template <class Attempt>
  auto outlive_losses(int number, const std::string& what, const Attempt& attempt);

  void renew_workspace();
  // From the copy; the next divide() sets everything up anew.
  void go_back();
  // Divides the layers by `plan` from now on. Throws DeviceLost; then the old plan stays.
  void divide(const ClusterPlan& plan);
  // The same where devices may be lost in it: whether it is `plan` that is in use now, or another.
  bool divide_or_recover(const ClusterPlan& plan, int number);
  // Quarantines, and divides among those that are left.
  void recover(DeviceLost loss, int number, const std::string& what);
  void tell_quarantine(const LostDevice& lost, int number) const;
  void tell_shares(ShareChange change, int number, const std::string& reason) const;
  // The plan in use, with new shares for the devices that are left.
  ClusterPlan without_the_lost() const;
  void bring_weights_home(int number);
  void measure_again(int device, ClusterPlan& plan);
  void measure_again(int device, LayerPlan& layer);
  void rebalance(const RunStep& step);

  RunSetup& setup_;
  Cluster& cluster_;
  const RunListeners& listeners_;
  std::vector<std::string> names_;  // [device]
  std::shared_ptr<Workspace> work_;
  ClusterPlan plan_;
  std::optional<Rebalancer> rebalancer_;  // of the plan in use
  int epoch_ = 0;                         // under way
  std::vector<int> order_;                // of its pictures
  int done_ = 0;                          // the last step that the weights have seen
  std::optional<Copy> copy_;              // none where no weights reside on devices
};

// After how many steps weights that reside on devices are copied to the master again: as often as
// adds at most a twentieth to what travels, but not after fewer than ten.
int copy_interval(const ClusterPlan& plan, const DistributionOptions& options);

}  // namespace convoy
