#include "engine/training/gradient_difference.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace convoy {
namespace {

double tensor_difference(const FloatBuffer& values, const FloatBuffer& reference) {
  float largest = 0.0F, apart = 0.0F;
  for (std::size_t i = 0; i < reference.size(); ++i) {
    if (!std::isfinite(values[i])) return std::numeric_limits<double>::infinity();
    largest = std::max(largest, std::abs(reference[i]));
    apart = std::max(apart, std::abs(values[i] - reference[i]));
  }
  if (apart == 0.0F) return 0.0;
  return static_cast<double>(apart) / static_cast<double>(largest);
}

}  // namespace

double gradient_difference(const Parameters& gradients, const Parameters& reference) {
  double most = std::max(tensor_difference(gradients.fc_weight, reference.fc_weight),
                         tensor_difference(gradients.fc_bias, reference.fc_bias));
  for (std::size_t layer = 0; layer < reference.conv.size(); ++layer)
    most = std::max({most,
                     tensor_difference(gradients.conv[layer].weight, reference.conv[layer].weight),
                     tensor_difference(gradients.conv[layer].bias, reference.conv[layer].bias)});
  return most;
}

}  // namespace convoy
