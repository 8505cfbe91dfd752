#include "engine/cluster/division.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <numeric>
#include <tuple>
#include <utility>

namespace convoy {
namespace {

// What a device takes for its two exchanges of the layer, by count.
struct Lines {
  ShareCost forward, backward;
};

// The line through two close points; through the origin and the second where it would begin below.
ShareCost line(int count_a, double ms_a, int count_b, double ms_b) {
  const ShareCost flat{0.0, ms_b / count_b};
  if (count_a == count_b) return flat;
  const double slope = (ms_b - ms_a) / (count_b - count_a);
  const double fixed = ms_b - slope * count_b;
  if (fixed < 0.0) return flat;
  // A device has an end to what it can do.
  const double least = 1e-3 * flat.ms_per_kernel;
  return slope > least ? ShareCost{fixed, slope} : ShareCost{ms_b - least * count_b, least};
}

// How much a device can do, when its forward exchange may take this long and its backward one that.
double capacity(const Lines& device, double forward_ms, double backward_ms) {
  return std::max(
      0.0, std::min((forward_ms - device.forward.fixed_ms) / device.forward.ms_per_kernel,
                    (backward_ms - device.backward.fixed_ms) / device.backward.ms_per_kernel));
}

// Whether all devices can do `whole` in `ms`, of which `part` goes to the forward exchange.
bool suffices(double ms, double part, double whole, const std::vector<Lines>& lines) {
  double sum = 0.0;
  for (const Lines& device : lines) sum += capacity(device, part * ms, (1.0 - part) * ms);
  return sum >= whole;
}

// Whole counts for which the slowest forward and the slowest backward exchange take the least time
// together: what is left over when all are rounded down goes where it makes these longer by least.
std::vector<int> soonest(int whole, const std::vector<Lines>& lines) {
  double best = 0.5, best_ms = 1e-6;
  while (!suffices(best_ms, best, whole, lines)) best_ms *= 2.0;
  const auto look = [&](double part) {
    constexpr double kClose = 1.0 - 1e-6;
    if (part <= 0.0 || part >= 1.0 || !suffices(kClose * best_ms, part, whole, lines)) return;
    best = part;
    best_ms *= kClose;
    for (double low = 0.0; low < kClose * best_ms;) {
      const double middle = 0.5 * (low + best_ms);
      (suffices(middle, part, whole, lines) ? best_ms : low) = middle;
    }
  };
  constexpr int kParts = 24;
  look(best);
  for (int i = 1; i < kParts; ++i) look(static_cast<double>(i) / kParts);
  for (double step = 0.5 / kParts; step > 1e-3; step *= 0.5) {
    const double middle = best;
    look(middle - step);
    look(middle + step);
  }
  double forward_ms = best * best_ms, backward_ms = best_ms - forward_ms;
  std::vector<int> counts;
  int given = 0;
  for (const Lines& device : lines) {
    const double count = std::min<double>(whole - given, capacity(device, forward_ms, backward_ms));
    counts.push_back(static_cast<int>(count + 1e-3));  // the time is not exact
    given += counts.back();
  }
  for (; given < whole; ++given) {
    const auto with_one_more = [&](std::size_t device) {
      return std::pair(std::max(forward_ms, lines[device].forward.ms(counts[device] + 1)),
                       std::max(backward_ms, lines[device].backward.ms(counts[device] + 1)));
    };
    std::size_t place = 0;
    double least = std::numeric_limits<double>::infinity();
    for (std::size_t device = 0; device < lines.size(); ++device) {
      const auto [forward, backward] = with_one_more(device);
      if (forward + backward >= least) continue;
      least = forward + backward;
      place = device;
    }
    std::tie(forward_ms, backward_ms) = with_one_more(place);
    ++counts[place];
  }
  return counts;
}

class Search {
 public:
  Search(const SplitLayer& layer, const std::vector<LinkSettings>& links,
         const DistributionOptions& options)
      : layer_(layer), links_(links), options_(options) {
    for (std::size_t i = 0; i < layer.costs.size(); ++i)
      if (std::isfinite(layer.costs[i].ms_per_kernel)) members_.push_back(i);
    for (const std::size_t i : members_) costs_.push_back(layer.costs[i]);
    const double each = static_cast<double>(layer.whole) / static_cast<double>(members_.size());
    std::vector<ShareCost> smooth = without_noise(costs_, each);
    for (std::size_t m = 0; m < members_.size(); ++m)
      smoothing_.push_back(smooth[m].ms(each) / costs_[m].ms(each));
    costs_ = std::move(smooth);
  }

  Division at(const std::vector<int>& counts) {
    Division division{counts, {layer_.split, layer_.needs_grad_input, {}}, 0.0};
    for (std::size_t i = 0; i < counts.size(); ++i)
      division.work.parts.push_back(counts[i] > 0 ? part(i, counts[i]) : left_out(i));
    division.ms = predict_step({division.work}, links_, options_, layer_.master_ms).step_ms;
    return division;
  }

  Division best() {
    const std::vector<int> plain = split_by_cost(layer_.whole, costs_);
    Division best = at(spread(plain));
    for (std::size_t m = 0; m < members_.size(); ++m) {
      std::vector<int> alone(members_.size());
      alone[m] = layer_.whole;
      take_if_sooner(at(spread(alone)), best.ms, best);
    }
    if (members_.size() < 2) return best;
    const double enough_ms = (1.0 - kLeastShareGain) * at(spread(plain)).ms;
    std::vector<int> counts = plain;
    std::vector<Lines> lines(members_.size());
    // Lines hold near the counts that they were taken at.
    constexpr int kRounds = 4;
    for (int round = 0; round < kRounds; ++round) {
      std::map<std::pair<std::size_t, int>, Lines> known;
      for (std::size_t m = 0; m < members_.size(); ++m) {
        if (counts[m] == 0 && round > 0) continue;
        const std::size_t device = members_[m];
        const auto [place, is_new] =
            known.try_emplace({layer_.twin.empty() ? device : layer_.twin[device], counts[m]});
        if (is_new) place->second = lines_at(m, std::max(1, counts[m]));
        lines[m] = place->second;
      }
      const std::vector<int> next = soonest(layer_.whole, lines);
      if (next == counts) break;
      counts = next;
      take_if_sooner(at(spread(counts)), enough_ms, best);
    }
    return best;
  }

 private:
  static void take_if_sooner(Division other, double enough_ms, Division& best) {
    if (other.ms < enough_ms && other.ms < best.ms) best = std::move(other);
  }

  const PartWork& part(std::size_t device, int count) {
    if (!layer_.twin.empty()) device = layer_.twin[device];
    const auto [place, is_new] = parts_.try_emplace({device, count});
    if (is_new) place->second = layer_.part(device, count);
    return place->second;
  }

  // Its computer may still have to sum what others send.
  PartWork left_out(std::size_t device) {
    PartWork none;
    none.problem.out_channels = none.problem.batch = 0;
    if (device == 0) none.moving = part(device, 1).moving;
    return none;
  }

  // As long as the noise of calibration is taken out of its speed.
  ExchangeTimes times(std::size_t member, int count) {
    const std::size_t device = members_[member];
    PartWork smooth = part(device, count);
    for (double& ms : smooth.ms) ms *= smoothing_[member];
    // Of several: a device that has the whole batch need not pick its pictures.
    const LayerWork shape{layer_.split, layer_.needs_grad_input, {smooth, smooth}};
    return exchange_times(shape, smooth, device > 0 ? &links_[device] : nullptr, options_);
  }

  Lines lines_at(std::size_t member, int count) {
    const int near = count > 1 ? count - std::max(1, count / 8) : std::min(layer_.whole, 2);
    const ExchangeTimes a = times(member, near), b = times(member, count);
    return {line(near, a.forward_ms, count, b.forward_ms),
            line(near, a.backward_ms, count, b.backward_ms)};
  }

  // From members to devices.
  std::vector<int> spread(const std::vector<int>& counts) const {
    std::vector<int> all(layer_.costs.size());
    for (std::size_t m = 0; m < members_.size(); ++m) all[members_[m]] = counts[m];
    return all;
  }

  const SplitLayer& layer_;
  const std::vector<LinkSettings>& links_;
  const DistributionOptions& options_;
  std::vector<std::size_t> members_;  // the devices that may have some
  std::vector<ShareCost> costs_;      // [member], without noise
  std::vector<double> smoothing_;     // [member]
  std::map<std::pair<std::size_t, int>, PartWork> parts_;
};

}  // namespace

Division divided(const SplitLayer& layer, const std::vector<int>& counts,
                 const std::vector<LinkSettings>& links, const DistributionOptions& options) {
  return Search(layer, links, options).at(counts);
}

Division best_division(const SplitLayer& layer, const std::vector<LinkSettings>& links,
                       const DistributionOptions& options) {
  return Search(layer, links, options).best();
}

std::vector<ShareCost> costs_that_give(const std::vector<int>& counts,
                                       const std::vector<ShareCost>& costs) {
  double end_ms = 0.0;
  for (std::size_t i = 0; i < counts.size(); ++i)
    if (counts[i] > 0) end_ms = std::max(end_ms, costs[i].ms(counts[i]));
  std::vector<ShareCost> added;
  for (std::size_t i = 0; i < counts.size(); ++i)
    added.push_back({counts[i] > 0 ? end_ms - costs[i].ms(counts[i]) : 3.0 * end_ms, 0.0});
  return added;
}

}  // namespace convoy
