// The devices of one run: the master's own, computed on by the calling thread, and the workers, one
// thread each, beyond their links.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "engine/cluster/worker.h"
#include "engine/cluster/worker_program.h"

namespace convoy {

// One device as the run is set up with it. The first has no link.
struct ClusterMember {
  std::unique_ptr<Device> device;
  LinkSettings link;
};

// Used by one thread, except set_link().
class Cluster {
 public:
  // `members` must not be empty. `stop` must outlive the cluster.
  Cluster(std::vector<ClusterMember> members, const StopToken* stop);

  int size() const { return static_cast<int>(workers_.size()) + 1; }
  const DeviceInfo& info(int device) const;
  // The master's device is 0; workers are 1 and up.
  Device& master_device() { return *master_device_; }
  WorkerProgram& master_program() { return master_program_; }
  // Thread-safe. Has no meaning for device 0.
  void set_link(int device, const LinkSettings& settings);
  const StopToken* stop() const { return &halt_; }

  // One exchange: every device of `commands` (by index, [device]) obeys at the same time; nullptr
  // leaves a device out. The master's own device obeys in this thread. Returns the reports [device]
  // when all are done. Where anything fails, the others are halted, all are waited
  // for, and the first error is thrown; the cluster is then of no more use.
  std::vector<WorkerReport> exchange(const std::vector<const WorkerCommand*>& commands);

  // Sets up a layer on all devices: kernels[device] of `problem`, in order, with the algorithms
  // that were measured. Without measurements the devices choose.
  void configure(int layer, const ConvProblem& problem, const std::vector<int>& kernels,
                 bool needs_grad_input, const std::vector<ConvMeasurement>& measured = {});
  // All devices with a positive kernels[device] measure that part of the problem at the same time,
  // as they will compute it in a step. Entries of the others are zero.
  std::vector<ConvMeasurement> measure(const ConvProblem& problem, const std::vector<int>& kernels,
                                       bool needs_grad_input);

 private:
  StopToken halt_;
  std::unique_ptr<Device> master_device_;
  WorkerProgram master_program_;
  std::vector<std::unique_ptr<Worker>> workers_;
};

}  // namespace convoy
