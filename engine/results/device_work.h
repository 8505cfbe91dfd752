// What a device did, summed over slices of the timeline: the numbers of devices.csv.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "engine/conv/timeline.h"

namespace convoy {

// Seen from the device: it sends results to the master and receives operands.
struct DeviceWork {
  double conv_ms = 0.0, send_ms = 0.0, receive_ms = 0.0, wait_ms = 0.0;
  std::uint64_t bytes_sent = 0, bytes_received = 0;

  void add(const Slice& slice) {
    const double ms = milliseconds(slice.end - slice.begin);
    switch (slice.activity) {
      case Activity::kReceive:
        receive_ms += ms;
        bytes_received += slice.bytes;
        break;
      case Activity::kCompute:
        conv_ms += ms;
        break;
      case Activity::kSend:
        send_ms += ms;
        bytes_sent += slice.bytes;
        break;
      case Activity::kWait:
        wait_ms += ms;
        break;
    }
  }
};

// The work of one device for one layer in one pass.
struct WorkRow {
  std::size_t device = 0, layer = 0;  // from 0
  Pass pass = Pass::kForward;
  DeviceWork work;
};

// In the order of device, layer and pass; only those that have a slice (nobody needs the first
// layer's backward-data).
std::vector<WorkRow> work_rows(const std::vector<Slice>& slices, std::size_t devices,
                               std::size_t layers);

}  // namespace convoy
