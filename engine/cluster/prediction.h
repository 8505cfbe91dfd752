// What a step will take, from what its pieces of work take: the schedule of schedule.h fed with
// calibrated times and the bytes of traffic.h.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "engine/cluster/distribution_options.h"
#include "engine/cluster/layer_plan.h"

namespace convoy {

// What one device has of a layer, and how long it computes that.
struct PartWork {
  ConvProblem problem;  // with the device's kernels and pictures; none of them: left out
  // By pass, in the order of kAllPasses, with what is fused to it, and with the cost of its cuts.
  std::array<double, 3> ms{};
  double update_ms = 0.0;         // of resident weights
  MovingCost moving;              // not counted where it was not measured
  ChunkCuts cuts;                 // with overlap
  std::optional<CutCost> cut_ms;  // of each; null where the device does not work in parts
};

// The part with other cuts. Without a cost of cuts as it is.
PartWork with_cuts(PartWork part, ChunkCuts cuts);

struct LayerWork {
  SplitMode split = SplitMode::kKernels;  // never kAuto
  bool needs_grad_input = true;
  std::vector<PartWork> parts;  // [device]
};

// As a run measures it: conv_ms is the slowest device's computing, comm_ms what the layers take
// beyond it, comp_ms the rest of the step.
struct StepPrediction {
  double step_ms = 0.0, conv_ms = 0.0, comm_ms = 0.0, comp_ms = 0.0;
  std::uint64_t bytes = 0;                  // over all links, both directions
  std::vector<std::uint64_t> device_bytes;  // [device]; of the master's own: 0
  struct Layer {
    double forward_ms = 0.0, backward_ms = 0.0;
    std::uint64_t bytes = 0;
  };
  std::vector<Layer> layers;
};

// Updating the part's resident kernels: by what its computer takes to update weights; where that
// was not measured, in proportion to `whole_ms` for all of the layer's `kernels`.
double resident_update_ms(const PartWork& part, double whole_ms, int kernels);

// `links` [device]; the first is not read. Counts what the devices' computers work to move maps,
// and the master's sum of shares, where calibration measured that. Devices that compete for memory
// more than they did in calibration take longer than this.
StepPrediction predict_step(const std::vector<LayerWork>& layers,
                            const std::vector<LinkSettings>& links,
                            const DistributionOptions& options, double comp_ms);

// What one device takes for the two exchanges of the layer, as predict_step() has them; `link`
// null: the master's own device.
struct ExchangeTimes {
  double forward_ms = 0.0, backward_ms = 0.0;
};
ExchangeTimes exchange_times(const LayerWork& layer, const PartWork& part, const LinkSettings* link,
                             const DistributionOptions& options);

// Whether devices that compute with these algorithms, by pass in the order of kAllPasses, work in
// chunks of the batch: a CPU what it does in the frequency domain, as long as it needs no tiles; an
// OpenCL device all but what CLBlast multiplies.
bool works_in_parts(const std::array<std::string, 3>& algorithms);

// The work of a plan, with the times of its cost lines.
std::vector<LayerWork> planned_work(const ClusterPlan& plan);
// One device's, with `count` of the layer's kernels or pictures.
PartWork planned_part(const LayerPlan& layer, std::size_t device, int count);

}  // namespace convoy
