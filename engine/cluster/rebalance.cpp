#include "engine/cluster/rebalance.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

namespace convoy {
namespace {

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const std::size_t middle = values.size() / 2;
  return values.size() % 2 == 1 ? values[middle] : 0.5 * (values[middle - 1] + values[middle]);
}

// The median distance from the median, relative to it.
double spread(const std::vector<double>& values) {
  const double middle = median(values);
  std::vector<double> apart;
  for (const double value : values) apart.push_back(std::abs(value / middle - 1.0));
  return median(std::move(apart));
}

}  // namespace

Rebalancer::Rebalancer(Counts counts, std::vector<std::vector<ShareCost>> costs,
                       std::vector<bool> available, RebalanceRule rule,
                       std::vector<std::vector<ShareCost>> link_costs)
    : counts_(std::move(counts)),
      costs_(std::move(costs)),
      link_costs_(std::move(link_costs)),
      available_(std::move(available)),
      rule_(rule),
      paces_(counts_.size(), std::vector<Pace>(available_.size())) {
  link_costs_.resize(counts_.size());
  for (auto& layer : link_costs_) layer.resize(available_.size());
}

void Rebalancer::note(Pace& pace, double factor) {
  pace.recent.push_back(factor);
  const auto steps = static_cast<std::ptrdiff_t>(rule_.steps);
  if (std::ssize(pace.recent) >= 2 * steps) {
    const auto last = pace.recent.end() - steps;
    const std::vector<double> past(pace.recent.begin(), last);
    const double before = median(past);
    const double far = 1.0 + rule_.jump + 4.0 * spread(past);
    const bool slower =
        std::all_of(last, pace.recent.end(), [&](double f) { return f > before * far; });
    const bool faster =
        std::all_of(last, pace.recent.end(), [&](double f) { return f * far < before; });
    if (slower || faster) {
      pace.recent.erase(pace.recent.begin(), last);
      jumped_ = true;
    }
  }
  if (std::ssize(pace.recent) > rule_.window) pace.recent.erase(pace.recent.begin());
  pace.factor = median(pace.recent);
  pace.spread = spread(pace.recent);
}

ShareCost Rebalancer::cost(std::size_t layer, std::size_t device) const {
  const ShareCost& calibrated = costs_[layer][device];
  const double factor = paces_[layer][device].factor;
  return {calibrated.fixed_ms * factor, calibrated.ms_per_kernel * factor};
}

double Rebalancer::layer_ms(std::size_t layer, const std::vector<int>& counts) const {
  double ms = 0.0;
  for (std::size_t device = 0; device < counts.size(); ++device)
    if (counts[device] > 0)
      ms = std::max(ms, cost(layer, device).ms(counts[device]) +
                            link_costs_[layer][device].ms(counts[device]));
  return ms;
}

std::vector<int> Rebalancer::split(std::size_t layer) const {
  const std::vector<int>& now = counts_[layer];
  const int all = std::accumulate(now.begin(), now.end(), 0);
  std::vector<ShareCost> costs, links;
  for (std::size_t device = 0; device < now.size(); ++device) {
    if (!available_[device]) continue;
    costs.push_back(cost(layer, device));
    links.push_back(link_costs_[layer][device]);
  }
  const double each = static_cast<double>(all) / static_cast<double>(costs.size());
  const std::vector<int> counts =
      split_by_cost(all, sum_of(without_noise(std::move(costs), each), links));
  std::vector<int> spread(now.size());
  std::size_t next = 0;
  for (std::size_t device = 0; device < now.size(); ++device)
    if (available_[device]) spread[device] = counts[next++];
  return spread;
}

std::optional<Counts> Rebalancer::add_step(const std::vector<std::vector<double>>& ms) {
  jumped_ = false;
  ++seen_;
  ++since_change_;
  for (std::size_t layer = 0; layer < counts_.size(); ++layer)
    for (std::size_t device = 0; device < available_.size(); ++device)
      if (counts_[layer][device] > 0 && ms[layer][device] > 0.0)
        note(paces_[layer][device],
             ms[layer][device] / costs_[layer][device].ms(counts_[layer][device]));
  if (seen_ < rule_.least_window && !jumped_) return std::nullopt;

  // A layer's devices wait for each other, so its gain is its own.
  Counts better = counts_;
  double now_ms = 0.0, better_ms = 0.0;
  for (std::size_t layer = 0; layer < counts_.size(); ++layer) {
    const double layer_now = layer_ms(layer, counts_[layer]);
    const std::vector<int> proposal = split(layer);
    const double layer_better = layer_ms(layer, proposal);
    double noise = 0.0;
    for (const Pace& pace : paces_[layer]) noise = std::max(noise, pace.spread);
    const bool gains = layer_now > layer_better * (1.0 + 2.0 * noise);
    if (gains) better[layer] = proposal;
    now_ms += layer_now;
    better_ms += gains ? layer_better : layer_now;
  }
  const bool promising = now_ms > better_ms * (1.0 + rule_.least_gain);
  promising_ = promising ? promising_ + 1 : 0;
  // After a jump the last steps have agreed already.
  if (!promising || since_change_ < rule_.steps || (promising_ < rule_.steps && !jumped_))
    return std::nullopt;
  promising_ = 0;
  since_change_ = 0;
  counts_ = better;
  return better;
}

}  // namespace convoy
