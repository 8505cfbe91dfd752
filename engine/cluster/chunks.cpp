#include "engine/cluster/chunks.h"

#include <cstdio>

#include "engine/cluster/prediction.h"

namespace convoy {

double layer_ms(const LayerPlan& layer, const std::vector<LinkSettings>& links,
                const DistributionOptions& options) {
  ClusterPlan alone;
  alone.layers.push_back(layer);
  return predict_step(planned_work(alone), links, options, 0.0).step_ms;
}

bool can_work_in_chunks(const LayerPlan& layer) {
  for (std::size_t device = 1; device < layer.measured.size(); ++device)
    if (const int pictures = layer.pictures.at(device);
        works_in_parts(layer.measured[device].algorithm) && batch_chunks({0, pictures}).size() > 1)
      return true;
  return false;
}

LayerPlan worked_off(LayerPlan layer, bool in_chunks) {
  if (layer.in_chunks == in_chunks) return layer;
  layer.in_chunks = in_chunks;
  for (std::size_t device = 0; device < layer.chunk_factor.size(); ++device) {
    const double factor = in_chunks ? layer.chunk_factor[device] : 1.0 / layer.chunk_factor[device];
    for (double& ms : layer.measured[device].ms) ms *= factor;
    layer.cost[device].fixed_ms *= factor;
    layer.cost[device].ms_per_kernel *= factor;
  }
  return layer;
}

ClusterPlan with_best_chunks(ClusterPlan plan, const std::vector<LinkSettings>& links,
                             const DistributionOptions& options, std::vector<std::string>* notes) {
  for (std::size_t number = 0; options.overlap && number < plan.layers.size(); ++number) {
    LayerPlan& layer = plan.layers[number];
    if (layer.chunk_factor.empty()) continue;
    LayerPlan other = worked_off(layer, !layer.in_chunks);
    const double ms = layer_ms(layer, links, options);
    const double other_ms = layer_ms(other, links, options);
    if (other_ms >= ms * (1.0 - kCalibrationNoise)) continue;
    layer = std::move(other);
    char text[160];
    std::snprintf(text, sizeof text,
                  "Layer %zu is worked off %s: estimated %.3g ms, and %.3g ms %s.", number + 1,
                  layer.in_chunks ? "in chunks" : "in one piece", other_ms, ms,
                  layer.in_chunks ? "in one piece" : "in chunks");
    notes->push_back(text);
  }
  return plan;
}

}  // namespace convoy
