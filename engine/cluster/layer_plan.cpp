#include "engine/cluster/layer_plan.h"

namespace convoy {
namespace {

double layer_flops(const LayerPlan& layer) {
  return layer.problem.flops() * (layer.needs_grad_input ? 3.0 : 2.0);
}

}  // namespace

int LayerPlan::whole() const {
  return split == SplitMode::kBatch ? problem.batch : problem.out_channels;
}

const std::vector<int>& LayerPlan::counts() const {
  return split == SplitMode::kBatch ? pictures : kernels;
}

void LayerPlan::set_counts(const std::vector<int>& counts) {
  const bool by_batch = split == SplitMode::kBatch;
  (by_batch ? pictures : kernels) = counts;
  std::vector<int>& other = by_batch ? kernels : pictures;
  other.assign(counts.size(), by_batch ? problem.out_channels : problem.batch);
  for (std::size_t device = 0; device < counts.size(); ++device)
    if (counts[device] == 0) other[device] = 0;
}

LayerPart LayerPlan::part(std::size_t device, int first, int count,
                          const DistributionOptions& options) const {
  LayerPart part;
  part.problem = problem;
  part.batch = problem.batch;
  part.pictures = {0, problem.batch};
  if (split == SplitMode::kBatch) {
    part.problem.batch = count;
    part.pictures = {first, first + count};
  } else {
    part.problem.out_channels = count;
    part.first_kernel = first;
  }
  part.needs_grad_input = needs_grad_input;
  part.fuse_pooling = options.fuse_pooling;
  part.resident = options.resident_kernels && split == SplitMode::kKernels;
  part.overlap = options.overlap;
  // The master's own device has no transfers that chunks could overlap, and no wire.
  if (options.overlap && device > 0) {
    const Cuts all = all_cuts(part.problem.batch);
    part.cuts = cuts.empty() ? ChunkCuts{all, all} : cuts.at(device);
  }
  part.others = others;
  part.wire = device == 0 ? WireFormat::kFp32 : options.wire;
  return part;
}

std::vector<LayerPart> LayerPlan::parts(const DistributionOptions& options) const {
  std::vector<LayerPart> all;
  int first = 0;
  for (std::size_t device = 0; device < counts().size(); ++device) {
    const int count = counts()[device];
    all.push_back(part(device, first, count, options));
    first += count;
  }
  return all;
}

double ClusterPlan::alone_ms(int device) const {
  double ms = 0.0;
  for (const LayerPlan& layer : layers)
    ms += layer.cost[static_cast<std::size_t>(device)].ms(layer.whole());
  return ms;
}

double ClusterPlan::gflops(int device) const {
  double flops = 0.0;
  for (const LayerPlan& layer : layers) flops += layer_flops(layer);
  return flops / alone_ms(device) / 1e6;
}

double ClusterPlan::share(int device) const {
  double all = 0.0, own = 0.0;
  for (const LayerPlan& layer : layers) {
    const double flops = layer_flops(layer);
    all += flops;
    own += flops * layer.counts()[static_cast<std::size_t>(device)] / layer.whole();
  }
  return own / all;
}

}  // namespace convoy
