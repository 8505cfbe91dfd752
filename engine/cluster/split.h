// Which device gets how many of a layer's kernels. Pure arithmetic.
#pragma once

#include <vector>

namespace convoy {

// What a device takes for `kernels` of a layer's kernels, all passes: fixed_ms (reading the input
// once, however few kernels there are) and ms_per_kernel.
struct ShareCost {
  double fixed_ms = 0.0;
  double ms_per_kernel = 0.0;
  double ms(double kernels) const { return fixed_ms + ms_per_kernel * kernels; }
};

// The line through two measurements (kernels, ms); through the origin and the second point where
// the two are close or do not make a plausible line.
ShareCost share_cost(int kernels_a, double ms_a, int kernels_b, double ms_b);

// Both together, [device]; `more` may be empty.
std::vector<ShareCost> sum_of(std::vector<ShareCost> costs, const std::vector<ShareCost>& more);

// Costs that differ by no more than a calibration can tell (kCalibrationNoise) become their mean:
// equal devices get equal shares, whatever noise measured them. Compared at `kernels` kernels.
inline constexpr double kCalibrationNoise = 0.03;
std::vector<ShareCost> without_noise(std::vector<ShareCost> costs, double kernels);

// Whole kernels by cost, so that all devices finish together; sums to `kernels`. Every device gets
// at least one, unless there are more devices than kernels (the slowest are left out) or a device
// would need for its first kernel more than twice the time in which the others do the whole layer
// without it.
std::vector<int> split_by_cost(int kernels, const std::vector<ShareCost>& costs);

// Whole kernels in proportion to the fractions (none negative, sum 1), by largest remainders; a
// positive fraction gets at least one kernel as long as there are enough.
std::vector<int> split_by_fractions(int kernels, const std::vector<double>& fractions);

}  // namespace convoy
