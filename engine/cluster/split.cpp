#include "engine/cluster/split.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <numeric>

namespace convoy {
namespace {

// The time in which the devices of `in` do `kernels` kernels when all finish together; those that
// would begin later than that have none.
double common_ms(double kernels, const std::vector<ShareCost>& costs, const std::vector<bool>& in) {
  std::vector<std::size_t> order;  // who begins first
  for (std::size_t i = 0; i < costs.size(); ++i)
    if (in[i]) order.push_back(i);
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return costs[a].fixed_ms < costs[b].fixed_ms;
  });
  double rate = 0.0, head_start = 0.0, ms = 0.0;
  for (const std::size_t i : order) {
    if (rate > 0.0 && costs[i].fixed_ms >= ms) break;
    rate += 1.0 / costs[i].ms_per_kernel;
    head_start += costs[i].fixed_ms / costs[i].ms_per_kernel;
    ms = (kernels + head_start) / rate;
  }
  return ms;
}

}  // namespace

ShareCost share_cost(int kernels_a, double ms_a, int kernels_b, double ms_b) {
  // Between close points a line is all noise.
  if (std::abs(kernels_a - kernels_b) > std::min(kernels_a, kernels_b) / 5) {
    const double slope = (ms_b - ms_a) / (kernels_b - kernels_a);
    const double fixed = ms_b - slope * kernels_b;
    // Noise must not invent a free device or a huge fixed cost.
    if (slope > 0.0 && fixed >= 0.0 && fixed <= 0.5 * ms_b) return {fixed, slope};
  }
  return {0.0, ms_b / kernels_b};
}

std::vector<ShareCost> sum_of(std::vector<ShareCost> costs, const std::vector<ShareCost>& more) {
  for (std::size_t i = 0; i < more.size(); ++i) {
    costs[i].fixed_ms += more[i].fixed_ms;
    costs[i].ms_per_kernel += more[i].ms_per_kernel;
  }
  return costs;
}

std::vector<ShareCost> without_noise(std::vector<ShareCost> costs, double kernels) {
  std::vector<std::size_t> order(costs.size());  // the fastest first
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return costs[a].ms(kernels) < costs[b].ms(kernels);
  });
  for (std::size_t begin = 0, end = 0; begin < order.size(); begin = end) {
    const double most = (1.0 + kCalibrationNoise) * costs[order[begin]].ms(kernels);
    ShareCost mean;
    for (end = begin; end < order.size() && costs[order[end]].ms(kernels) <= most; ++end) {
      mean.fixed_ms += costs[order[end]].fixed_ms;
      mean.ms_per_kernel += costs[order[end]].ms_per_kernel;
    }
    mean.fixed_ms /= static_cast<double>(end - begin);
    mean.ms_per_kernel /= static_cast<double>(end - begin);
    for (std::size_t i = begin; i < end; ++i) costs[order[i]] = mean;
  }
  return costs;
}

std::vector<int> split_by_fractions(int kernels, const std::vector<double>& fractions) {
  const std::size_t devices = fractions.size();
  std::vector<int> counts(devices);
  std::vector<std::size_t> order(devices);
  std::iota(order.begin(), order.end(), std::size_t{0});
  int given = 0;
  for (std::size_t i = 0; i < devices; ++i) {
    // A hair above guards fractions such as 0.3 * 10 against rounding down to 2.
    counts[i] = static_cast<int>(std::floor(fractions[i] * kernels + 1e-9));
    given += counts[i];
  }
  const auto remainder = [&](std::size_t i) { return fractions[i] * kernels - counts[i]; };
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return remainder(a) > remainder(b); });
  for (std::size_t next = 0; given < kernels; next = (next + 1) % devices)
    if (fractions[order[next]] > 0.0) ++counts[order[next]], ++given;
  for (std::size_t i = 0; i < devices; ++i) {
    if (fractions[i] <= 0.0 || counts[i] > 0) continue;
    const auto richest = std::max_element(counts.begin(), counts.end());
    if (*richest <= 1) break;
    --*richest;
    counts[i] = 1;
  }
  return counts;
}

std::vector<int> split_by_cost(int kernels, const std::vector<ShareCost>& costs) {
  const std::size_t devices = costs.size();
  std::vector<bool> in(devices, true);
  std::size_t members = devices;
  const auto leave_out = [&](std::size_t device) {
    in[device] = false;
    --members;
  };
  std::vector<std::size_t> slowest_first(devices);
  // Among equals the last comes first: the master's own device, which needs no link, stays longest.
  std::iota(slowest_first.rbegin(), slowest_first.rend(), std::size_t{0});
  std::stable_sort(slowest_first.begin(), slowest_first.end(),
                   [&](std::size_t a, std::size_t b) { return costs[a].ms(1) > costs[b].ms(1); });
  for (const std::size_t device : slowest_first) {
    if (members == 1) break;
    if (members > static_cast<std::size_t>(kernels)) {
      leave_out(device);
      continue;
    }
    std::vector<bool> others = in;
    others[device] = false;
    if (costs[device].ms(1) > 2.0 * common_ms(kernels, costs, others)) leave_out(device);
  }

  // Every member starts with one kernel; each further one goes where it will be done first. That is
  // optimal for whole kernels, because a device's time only grows with its count.
  std::vector<int> counts(devices);
  int given = 0;
  for (std::size_t i = 0; i < devices; ++i)
    if (in[i]) counts[i] = 1, ++given;
  for (; given < kernels; ++given) {
    std::size_t best = devices;
    for (std::size_t i = 0; i < devices; ++i)
      if (in[i] &&
          (best == devices || costs[i].ms(counts[i] + 1) < costs[best].ms(counts[best] + 1)))
        best = i;
    ++counts[best];
  }
  return counts;
}

}  // namespace convoy
