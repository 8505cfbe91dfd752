// The same training on one device, for comparison: what the speedup is measured against.
#pragma once

#include <array>
#include <functional>
#include <string>
#include <vector>

#include "datasets/image_set.h"
#include "engine/network/model.h"
#include "engine/training/batches.h"
#include "engine/training/experiment.h"
#include "engine/training/step_rest.h"

namespace convoy {

struct BaselineProblem {
  const NetworkSpec& spec;
  const Parameters& initial;  // copied, never changed
  const SgdSettings& sgd;
  const ImageSet& images;
  const Normalisation& normalisation;
  int batch_size;
  bool shuffle;
  std::uint64_t seed;
  bool timed = true;  // false: only the first step, for its gradients
};

// Medians.
struct BaselineTimes {
  double step_ms = 0.0, conv_ms = 0.0, comp_ms = 0.0;
  std::vector<std::array<double, 3>> layer_ms;  // [layer], by pass in the order of kAllPasses
  std::vector<RestPart> rest;  // what comp_ms consists of, "other" for what is in no part
  double rest_speed = 1.0;     // of the computer that did the rest
  Parameters first_gradients;  // of the first step: of the first weights and the first batch
};

// Real training steps on a copy of the weights: one to warm up, then three to fifteen (fewer where
// a step takes longer than 4 s). The convolutions run on `device`, opened anew, without a link;
// all else on that device's cores when it is a CPU, else on `master_pool`. `progress` hears each
// step. On the virtual clock the times are those of a device and a master of their speeds.
BaselineTimes measure_baseline(const BaselineProblem& problem, const DeviceSpec& device,
                               ThreadPool& master_pool, double master_speed, ClockMode clock,
                               const StopToken* stop,
                               const std::function<void(int done, int total)>& progress);

}  // namespace convoy
