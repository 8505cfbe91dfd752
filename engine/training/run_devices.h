// The devices of a run, opened and checked.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "engine/cluster/cluster.h"
#include "engine/results/run_events.h"
#include "engine/training/experiment.h"

namespace convoy {

struct RunDevices {
  std::vector<ClusterMember> members;  // to be moved into a Cluster
  std::vector<RunDevice> described;    // the same devices, for reports
  std::vector<std::string> warnings;
  // Everything outside the convolutional layers runs here: the first device's own threads when it
  // is a CPU, else `own_pool` on the cores that no other device has been given.
  ThreadPool* master_pool = nullptr;
  std::unique_ptr<ThreadPool> own_pool;
};

// Opens what `devices` names. Throws Error(kDevice) for a missing device and, on the wall clock,
// Error(kExperiment) when two CPU devices share a core; on the virtual clock, where devices compute
// one after another, they may.
RunDevices open_run_devices(const std::vector<DeviceSpec>& devices,
                            const LinkSettings& default_link, ClockMode clock);

// A device for itself: with its scratch limit and, on the wall clock, its speed, without a link.
std::unique_ptr<Device> open_run_device(const DeviceSpec& spec, ClockMode clock);

}  // namespace convoy
