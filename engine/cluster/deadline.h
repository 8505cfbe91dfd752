// When a device that does not answer is taken to hang.
#pragma once

#include <functional>

#include "engine/cluster/worker.h"

namespace convoy {

struct ClusterPlan;

// Whether a device that has spent `device_time` on `command` will not answer any more. Time in
// which its link moves bytes does not count, so a slow, paused or choked link is never a hang. On
// the virtual clock it is the time of the computer that the device stands for.
using Overdue = std::function<bool(int device, const WorkerCommand& command,
                                   SteadyClock::duration device_time)>;

// Before anything is known of a device: ten minutes for kConfigure; for kMeasure and kRehearse ten
// minutes and what thirty runs of all passes take at 1 GFLOP/s, since a first measurement tries
// several algorithms. Other commands may take for ever.
bool overdue_uncalibrated(int device, const WorkerCommand& command,
                          SteadyClock::duration device_time);

// With the plan in use: ten times what all passes of the layer were calibrated to take on the
// device, and ten seconds; for other commands as above.
Overdue overdue_by(const ClusterPlan& plan);

}  // namespace convoy
