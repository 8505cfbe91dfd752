#include "tests/network/double_network.h"

#include <algorithm>
#include <cmath>

namespace convoy {

namespace {

std::vector<double> doubles(const FloatBuffer& buffer) {
  return {buffer.data(), buffer.data() + buffer.size()};
}

// The maps of one picture.
struct Maps {
  int channels, height, width;
  std::vector<double> values;
  double at(int channel, int row, int column) const {
    if (row < 0 || row >= height || column < 0 || column >= width) return 0.0;
    return values[(static_cast<std::size_t>(channel) * height + row) * width + column];
  }
};

Maps block(const Maps& input, const ConvProblem& p, const DoubleParameters::Layer& layer) {
  const auto convolved = [&](int k, int y, int x) {
    double sum = layer.bias[static_cast<std::size_t>(k)];
    std::size_t w = static_cast<std::size_t>(k) * p.kernel_elements();
    for (int c = 0; c < p.in_channels; ++c)
      for (int i = 0; i < p.kernel_height; ++i)
        for (int j = 0; j < p.kernel_width; ++j)
          sum += layer.weight[w++] * input.at(c, y - p.padding.top + i, x - p.padding.left + j);
    return sum;
  };
  Maps output{p.out_channels, p.out_height() / 2, p.out_width() / 2, {}};
  for (int k = 0; k < output.channels; ++k)
    for (int y = 0; y < output.height; ++y)
      for (int x = 0; x < output.width; ++x)
        output.values.push_back(
            std::max({0.0, convolved(k, 2 * y, 2 * x), convolved(k, 2 * y, 2 * x + 1),
                      convolved(k, 2 * y + 1, 2 * x), convolved(k, 2 * y + 1, 2 * x + 1)}));
  return output;
}

}  // namespace

DoubleParameters::DoubleParameters(const Parameters& parameters) {
  for (const ConvParameters& layer : parameters.conv)
    layers.push_back({doubles(layer.weight), doubles(layer.bias)});
  layers.push_back({doubles(parameters.fc_weight), doubles(parameters.fc_bias)});
}

double double_loss(const NetworkSpec& spec, const DoubleParameters& parameters,
                   const std::vector<float>& images, const std::vector<std::uint16_t>& labels) {
  const std::vector<ConvProblem> problems = spec.conv_problems(1);
  const std::size_t batch = labels.size();
  double loss = 0.0;
  for (std::size_t n = 0; n < batch; ++n) {
    Maps maps{spec.in_channels, spec.in_height, spec.in_width, {}};
    for (std::size_t i = n; i < images.size(); i += batch)
      maps.values.push_back(static_cast<double>(images[i]));
    for (std::size_t layer = 0; layer < problems.size(); ++layer)
      maps = block(maps, problems[layer], parameters.layers[layer]);
    const DoubleParameters::Layer& last = parameters.layers.back();
    double sum = 0.0, chosen = 0.0;
    for (std::size_t c = 0; c < last.bias.size(); ++c) {
      double logit = last.bias[c];
      for (std::size_t f = 0; f < maps.values.size(); ++f)
        logit += last.weight[c * maps.values.size() + f] * maps.values[f];
      sum += std::exp(logit);
      if (c == labels[n]) chosen = logit;
    }
    loss += std::log(sum) - chosen;
  }
  return loss / static_cast<double>(batch);
}

}  // namespace convoy
