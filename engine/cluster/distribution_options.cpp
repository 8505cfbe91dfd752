#include "engine/cluster/distribution_options.h"

namespace convoy {

const char* split_mode_name(SplitMode split) {
  switch (split) {
    case SplitMode::kKernels:
      return "kernels";
    case SplitMode::kBatch:
      return "batch";
    case SplitMode::kAuto:
      break;
  }
  return "auto";
}

DistributionOptions paper_options() {
  return {};
}

DistributionOptions best_options() {
  DistributionOptions options;
  options.split = SplitMode::kAuto;
  options.resident_kernels = true;
  options.fuse_pooling = true;
  options.overlap = true;
  options.wire = WireFormat::kFp16;
  options.rebalance = true;
  return options;
}

}  // namespace convoy
