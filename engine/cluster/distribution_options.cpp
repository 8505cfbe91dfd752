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

}  // namespace convoy
