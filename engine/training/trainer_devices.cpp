// How a trainer gets along with devices that fail, come back, and change their speed.
#include <algorithm>
#include <cmath>

#include "engine/cluster/link_plan.h"
#include "engine/cluster/quarantine.h"
#include "engine/training/trainer_workspace.h"

namespace convoy {
namespace {

bool same_splits(const ClusterPlan& a, const ClusterPlan& b) {
  return std::equal(a.layers.begin(), a.layers.end(), b.layers.begin(), b.layers.end(),
                    [](const LayerPlan& x, const LayerPlan& y) { return x.split == y.split; });
}

// The device takes as much longer the other way to split the layer.
void set_pace(LayerPlan& layer, std::size_t device, const ShareCost& cost) {
  const double factor = cost.ms_per_kernel / layer.cost[device].ms_per_kernel;
  layer.cost[device] = cost;
  if (!layer.other_split || !std::isfinite(factor)) return;
  LayerPlan other = *layer.other_split;
  other.cost[device].fixed_ms *= factor;
  other.cost[device].ms_per_kernel *= factor;
  layer.other_split = std::make_shared<const LayerPlan>(std::move(other));
}

}  // namespace

void Trainer::renew_workspace() {
  auto fresh = std::make_shared<Workspace>(setup_);
  fresh->model.go_on_from(work_->model.training_state());
  work_ = std::move(fresh);
  cluster_.keep_alive(work_);
}

void Trainer::divide(const ClusterPlan& plan) {
  std::optional<DistributedConv>& convolutions = work_->convolutions;
  if (convolutions) {
    convolutions->reconfigure(plan);
  } else {
    try {
      convolutions.emplace(cluster_, plan, setup_.experiment.distribution.options,
                           *setup_.devices.master_pool);
      work_->model.place_state(*convolutions);
    } catch (const DeviceLost&) {
      convolutions.reset();  // its weights may be nowhere yet
      throw;
    }
  }
  plan_ = plan;
  cluster_.set_overdue(setup_.overdue ? setup_.overdue : overdue_by(plan_));
  if (!setup_.experiment.distribution.options.rebalance) return;
  Counts counts;
  std::vector<std::vector<ShareCost>> costs, link_costs;
  for (const LayerPlan& layer : plan_.layers) {
    counts.push_back(layer.counts());
    costs.push_back(layer.cost);
    link_costs.push_back(layer.link_cost);
  }
  rebalancer_.emplace(std::move(counts), std::move(costs), cluster_.available(), RebalanceRule(),
                      std::move(link_costs));
}

bool Trainer::divide_or_recover(const ClusterPlan& plan, int number) {
  try {
    divide(plan);
    return true;
  } catch (const DeviceLost& lost) {
    recover(lost, number, "the set-up");
    return false;
  }
}

void Trainer::recover(DeviceLost loss, int number, const std::string& what) {
  for (;;) {
    bool hanging = false, incomplete = false;
    for (const LostDevice& lost : loss.lost()) {
      tell_quarantine(lost, number);
      hanging = hanging || lost.hanging;
      // Half updated, or not to be had from their device.
      incomplete = incomplete || lost.hanging || lost.command == CommandKind::kUpdate ||
                   lost.command == CommandKind::kFetch;
    }
    const bool back = incomplete && keeps_weights();
    if (hanging) renew_workspace();
    const ClusterPlan next = without_the_lost();
    std::string sentence;
    for (const LostDevice& lost : loss.lost())
      sentence += (sentence.empty() ? "Device " : ", device ") +
                  names_[static_cast<std::size_t>(lost.device)] + " failed in " +
                  describe_command(lost) + " (" + lost.reason + ")";
    sentence += loss.lost().size() == 1 ? " and is quarantined; " : " and are quarantined; ";
    const std::string moves = describe_moves(plan_, next, names_);
    sentence += (moves.empty() ? "" : moves + "; ") + what + " is repeated";
    if (back) {
      go_back();
      sentence += done_ == 0 ? " from the first weights on"
                             : " from the copy of the weights after step " + std::to_string(done_);
    }
    listeners_.message(Severity::kWarning, sentence + ".");
    try {
      divide(next);
    } catch (const DeviceLost& another) {
      loss = another;
      continue;
    }
    tell_shares(ShareChange::kQuarantine, number, sentence + ".");
    return;
  }
}

ClusterPlan Trainer::without_the_lost() const {
  const DistributionOptions& options = setup_.experiment.distribution.options;
  if (options.split != SplitMode::kAuto) return replan(plan_, setup_.policy, cluster_.available());
  std::vector<std::string> notes;
  return with_links(plan_, cluster_.links(), options, setup_.policy, cluster_.available(),
                    Splits::kKeep, notes);
}

void Trainer::readmit(int device, int number) {
  const auto place = static_cast<std::size_t>(device);
  const std::string& name = names_.at(place);
  if (cluster_.available()[place])
    return listeners_.message(Severity::kInfo, "Device " + name + " is not in quarantine.");
  try {
    cluster_.readmit(device);
  } catch (const Error& error) {
    return listeners_.message(Severity::kWarning,
                              "Device " + name + " cannot be let in again: " + error.what() + ".");
  }
  ClusterPlan measured = plan_;
  try {
    measure_again(device, measured);
  } catch (const DeviceLost& again) {
    tell_quarantine(again.lost().front(), number);
    return listeners_.message(Severity::kWarning, "Device " + name +
                                                      " cannot be let in again: it failed in " +
                                                      describe_command(again.lost().front()) +
                                                      " (" + again.lost().front().reason + ").");
  }
  std::vector<std::string> notes;
  const ClusterPlan next =
      with_links(std::move(measured), cluster_.links(), setup_.experiment.distribution.options,
                 setup_.policy, cluster_.available(), Splits::kKeep, notes);
  for (const std::string& note : notes) listeners_.message(Severity::kInfo, note);
  const std::string moves = describe_moves(plan_, next, names_);
  const std::string sentence =
      "Device " + name + " takes part again" + (moves.empty() ? "" : "; " + moves) + ".";
  const RunReadmission readmission{number, device, name};
  listeners_.tell([&](RunListener& l) { l.on_readmission(readmission); });
  listeners_.message(Severity::kInfo, sentence);
  if (divide_or_recover(next, number)) tell_shares(ShareChange::kReadmission, number, sentence);
}

void Trainer::follow_links(int number) {
  const DistributionOptions& options = setup_.experiment.distribution.options;
  std::vector<std::string> notes;
  const auto follow = [&] {
    notes.clear();
    return with_links(plan_, cluster_.links(), options, setup_.policy, cluster_.available(),
                      Splits::kFollow, notes);
  };
  ClusterPlan next = follow();
  const bool anew = !same_splits(plan_, next);
  if (anew) {
    bring_weights_home(number);
    next = follow();  // a device may have been lost meanwhile
  }
  const std::string moves = describe_moves(plan_, next, names_);
  if (!anew && notes.empty() && moves.empty()) return;
  for (const std::string& note : notes) listeners_.message(Severity::kInfo, note);
  if (divide_or_recover(next, number) && (anew || !moves.empty()))
    tell_shares(ShareChange::kRebalance, number,
                "Transfers take another time" + (moves.empty() ? "" : ": " + moves) + ".");
}

// Which layers' weights reside on devices changes: the next divide() places all of them anew.
void Trainer::bring_weights_home(int number) {
  const int reached = done_;
  outlive_losses(number, "fetching the weights", [&] {
    catch_up(reached);
    if (reached > 0) work_->model.fetch_state(*work_->convolutions);
  });
  cluster_.end_step();
  work_->convolutions.reset();
  if (!copy_) return;
  copy_.reset();  // two would be much memory
  copy_ = {reached, work_->model.training_state()};
}

void Trainer::measure_again(int device, ClusterPlan& plan) {
  for (LayerPlan& layer : plan.layers) {
    measure_again(device, layer);
    if (!layer.other_split) continue;
    LayerPlan other = *layer.other_split;
    measure_again(device, other);
    layer.other_split = std::make_shared<const LayerPlan>(std::move(other));
  }
}

void Trainer::measure_again(int device, LayerPlan& layer) {
  const auto place = static_cast<std::size_t>(device);
  int& count = layer.measured_counts[place];
  if (count == 0) count = std::max(1, layer.whole() / cluster_.size());
  std::vector<LayerPart> parts(static_cast<std::size_t>(cluster_.size()));
  for (LayerPart& part : parts) part.problem.out_channels = 0;
  if (!layer.cuts.empty()) layer.cuts[place] = {};
  parts[place] = layer.part(place, 0, count, setup_.experiment.distribution.options);
  layer.measured[place] = cluster_.measure(parts)[place];
  layer.cost[place] = {0.0, layer.measured[place].total_ms() / count};
}

void Trainer::rebalance(const RunStep& step) {
  if (!rebalancer_) return;
  std::vector<std::vector<double>> ms(plan_.layers.size(), std::vector<double>(names_.size()));
  for (const Slice& slice : step.slices)
    if (slice.activity == Activity::kCompute)
      ms[static_cast<std::size_t>(slice.layer)][static_cast<std::size_t>(slice.device)] +=
          milliseconds(slice.end - slice.begin);
  const auto counts = rebalancer_->add_step(ms);
  if (!counts) return;
  ClusterPlan next = plan_;
  for (std::size_t layer = 0; layer < next.layers.size(); ++layer) {
    next.layers[layer].set_counts((*counts)[layer]);
    for (std::size_t device = 0; device < names_.size(); ++device)
      set_pace(next.layers[layer], device, rebalancer_->cost(layer, device));
  }
  const std::string moves = describe_moves(plan_, next, names_);
  const std::string sentence =
      "Shares follow the measured times" + (moves.empty() ? "" : ": " + moves) + ".";
  listeners_.message(Severity::kInfo, sentence);
  Rebalancer goes_on = std::move(*rebalancer_);
  if (!divide_or_recover(next, step.step + 1)) return;
  rebalancer_ = std::move(goes_on);  // with what it has seen
  tell_shares(ShareChange::kRebalance, step.step + 1, sentence);
}

void Trainer::tell_quarantine(const LostDevice& lost, int number) const {
  const RunQuarantine event{number,
                            lost.device,
                            names_[static_cast<std::size_t>(lost.device)],
                            describe_command(lost),
                            lost.reason,
                            lost.hanging};
  listeners_.tell([&](RunListener& l) { l.on_quarantine(event); });
}

void Trainer::tell_shares(ShareChange change, int number, const std::string& reason) const {
  RunShares shares{number, change, reason, {}, {}, {}};
  for (const LayerPlan& layer : plan_.layers) {
    shares.kernels.push_back(layer.kernels);
    shares.pictures.push_back(layer.pictures);
  }
  for (int device = 0; device < cluster_.size(); ++device)
    shares.share.push_back(plan_.share(device));
  listeners_.tell([&](RunListener& l) { l.on_shares(shares); });
}

}  // namespace convoy
