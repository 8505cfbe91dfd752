// Devices that dropped out of an exchange.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "engine/base/error.h"
#include "engine/cluster/worker.h"

namespace convoy {

struct LostDevice {
  int device = 0;  // index into the experiment's devices; never 0, the master's own
  CommandKind command = CommandKind::kConfigure;
  int layer = 0;         // from 0; has no meaning for kMeasure, kRehearse
  std::string reason;    // what the device said, or that it did not answer
  bool hanging = false;  // it has not come back from its call
};

// Thrown by Cluster::exchange(). The other devices are ready for the next exchange; nothing that
// this one was to compute may be used. Where nobody replaces the devices it is an Error(kDevice)
// like any other.
class DeviceLost : public Error {
 public:
  // `lost` must not be empty.
  explicit DeviceLost(std::vector<LostDevice> lost)
      : Error(ErrorKind::kDevice, "", lost.front().reason), lost_(std::move(lost)) {}
  const std::vector<LostDevice>& lost() const { return lost_; }

 private:
  std::vector<LostDevice> lost_;
};

}  // namespace convoy
