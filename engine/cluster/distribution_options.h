// How the convolutional layers are distributed: the paper's method, and a remedy for each of its
// costs. Each option counts alone; all change times and traffic, none the result (but by the wire's
// rounding).
#pragma once

#include "engine/link/wire.h"

namespace convoy {

// What of a layer is divided among the devices.
enum class SplitMode {
  kKernels,  // the paper's: every device gets the whole input and computes the maps of its kernels
  kBatch,    // every device gets all kernels and computes all maps of its pictures
  kAuto      // for each layer the one that is estimated to take less time
};
const char* split_mode_name(SplitMode split);  // "kernels", "batch", "auto"

struct DistributionOptions {
  SplitMode split = SplitMode::kKernels;
  // Weights stay on their device, which updates them itself; the master fetches them only to save
  // them. Has no effect on layers that are split by batch, whose gradients the master must sum.
  bool resident_kernels = false;
  // Devices add the bias, rectify and pool, so that pooled maps and their gradients travel: a
  // quarter.
  bool fuse_pooling = false;
  // The batch is worked off in chunks: one travels while the next is computed, in both directions.
  bool overlap = false;
  // How numbers travel. Sums and the master's weights stay in single precision.
  WireFormat wire = WireFormat::kFp32;
  // Shares follow the times that are measured during the run.
  bool rebalance = false;
  bool operator==(const DistributionOptions&) const = default;
};

// The two methods that have a name; any other choice of options is one's own.
DistributionOptions paper_options();  // everything through the master, batch by batch: no remedy
DistributionOptions best_options();   // all remedies, numbers as fp16

}  // namespace convoy
