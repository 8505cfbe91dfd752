// When and how shares follow the times that are measured during a run. Pure logic; knows counts
// (of kernels or of pictures), not what is counted.
#pragma once

#include <optional>
#include <vector>

#include "engine/cluster/split.h"

namespace convoy {

// Counts [layer][device].
using Counts = std::vector<std::vector<int>>;

struct RebalanceRule {
  double least_gain = 0.05;  // of the layers' time; less is not worth a new set-up
  int steps = 3;             // in a row that must promise it, and between two changes
  int window = 7;            // steps whose median counts
  int least_window = 5;      // fewer are not judged, unless they jumped
  double jump = 0.15;        // `steps` steps all this far (and four times the former spread) on
                             // one side: what was before is forgotten
};

// Not synchronised.
class Rebalancer {
 public:
  // costs: as calibrated. available: who may get a share. link_costs: LayerPlan's, which count
  // beside the computing and do not follow it.
  Rebalancer(Counts counts, std::vector<std::vector<ShareCost>> costs, std::vector<bool> available,
             RebalanceRule rule = {}, std::vector<std::vector<ShareCost>> link_costs = {});

  // One step's compute time in milliseconds, [layer][device]; 0 where a device has no share.
  // Returns the counts to go on with, or nothing; whoever gets some uses them from the next step
  // on. A device's time is taken to change by one factor of its calibrated cost for a layer; the
  // factor is the median of the last steps, so a single slow step counts nothing. A layer must gain
  // more than twice its devices' spread, or its shares stay. A device without a share of a layer
  // keeps the factor that it had.
  std::optional<Counts> add_step(const std::vector<std::vector<double>>& ms);
  // As it is taken to be now.
  ShareCost cost(std::size_t layer, std::size_t device) const;

 private:
  // What one device takes for one layer, relative to its calibrated cost.
  struct Pace {
    std::vector<double> recent;  // the last steps, oldest first
    double factor = 1.0;
    double spread = 0.0;  // the median distance of the last steps from it, relative
  };

  void note(Pace& pace, double factor);
  double layer_ms(std::size_t layer, const std::vector<int>& counts) const;
  std::vector<int> split(std::size_t layer) const;

  Counts counts_;
  std::vector<std::vector<ShareCost>> costs_, link_costs_;
  std::vector<bool> available_;
  RebalanceRule rule_;
  std::vector<std::vector<Pace>> paces_;  // [layer][device]
  bool jumped_ = false;                   // in the step at hand
  int seen_ = 0;                          // steps
  int promising_ = 0;                     // steps in a row
  int since_change_ = 0;                  // steps
};

}  // namespace convoy
