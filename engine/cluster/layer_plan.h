// How the layers of a network are divided among the devices of a cluster, and what that rests on.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/cluster/device_lost.h"
#include "engine/cluster/distribution_options.h"
#include "engine/cluster/split.h"
#include "engine/cluster/worker.h"

namespace convoy {

// A device's part of the layer is kernels[device] x pictures[device]: one of them is divided, the
// other whole; both are 0 where the device is left out.
struct LayerPlan {
  ConvProblem problem;
  bool needs_grad_input = true;
  OtherLayers others;                     // on each device, about
  SplitMode split = SplitMode::kKernels;  // never kAuto
  std::vector<int> kernels;               // [device]
  std::vector<int> pictures;              // [device]; empty where kernels are divided: all
  std::vector<int> measured_counts;       // [device], of what is divided; 0 where none
  std::vector<ConvMeasurement> measured;  // [device], at measured_counts
  std::vector<ShareCost> cost;            // [device], by kernel or by picture
  // With overlap: where the workers' pictures are cut into chunks (chunks.h), [device]; empty:
  // wherever they can be. And what a cut costs, [device], null where a device does not work in
  // parts; empty where that was not measured. The times above are those with these cuts.
  std::vector<ChunkCuts> cuts;
  std::vector<std::optional<CutCost>> cut_ms;
  // What shares count beside the cost, [device]: what the links add to it (with_links()); empty:
  // nothing.
  std::vector<ShareCost> link_cost;
  // The layer split the other way, where both were measured to choose between them.
  std::shared_ptr<const LayerPlan> other_split;

  // What is divided: how many there are, and how many each device gets.
  int whole() const;
  const std::vector<int>& counts() const;
  void set_counts(const std::vector<int>& counts);
  // The device's part when it gets `count` of what is divided, beginning with `first`.
  LayerPart part(std::size_t device, int first, int count,
                 const DistributionOptions& options) const;
  // The parts as planned, [device]; no kernels where a device is left out.
  std::vector<LayerPart> parts(const DistributionOptions& options) const;
};

struct ClusterPlan {
  std::vector<LayerPlan> layers;
  std::vector<std::string> messages;  // who is left out of which layer, and why
  std::vector<std::string> notes;     // how layers are split, where that was to be found out
  std::vector<LostDevice> lost;       // by calibration; their costs are infinite where not measured

  // Estimated times of a device doing all of all layers, in milliseconds a step.
  double alone_ms(int device) const;
  // Its rate over all layers, in direct-equivalent GFLOP/s.
  double gflops(int device) const;
  // Its part of all convolution work, 0..1.
  double share(int device) const;
};

}  // namespace convoy
