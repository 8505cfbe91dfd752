// The direct method in single precision, which adds the products of each result one after the
// other: what the others' errors are compared with.
#pragma once

#include <cmath>
#include <span>
#include <vector>

#include "tests/conv/random_convolution.h"

namespace convoy {

// Each element of a pass's result as a sum in single precision, term by term.
class DirectSums {
 public:
  DirectSums(const ConvProblem& problem, const Arrays& arrays) : p_(problem), arrays_(arrays) {}

  std::vector<float> run(Pass pass) const {
    std::vector<float> result(result_size(p_, pass), 0.0f);
    for (int k = 0; k < p_.out_channels; ++k)
      for (int c = 0; c < p_.in_channels; ++c)
        for (int i = 0; i < p_.kernel_height; ++i)
          for (int j = 0; j < p_.kernel_width; ++j)
            for (int y = 0; y < p_.out_height(); ++y)
              for (int x = 0; x < p_.out_width(); ++x) {
                const int in_y = y * p_.stride_height - p_.padding.top + i;
                const int in_x = x * p_.stride_width - p_.padding.left + j;
                if (in_y < 0 || in_y >= p_.in_height || in_x < 0 || in_x >= p_.in_width) continue;
                const std::size_t in = batch() * index(c, in_y, in_x, p_.in_height, p_.in_width);
                const std::size_t out = batch() * index(k, y, x, p_.out_height(), p_.out_width());
                const std::size_t w =
                    (static_cast<std::size_t>(k) * static_cast<std::size_t>(p_.in_channels) +
                     static_cast<std::size_t>(c)) *
                        taps() +
                    static_cast<std::size_t>(i * p_.kernel_width + j);
                add(pass, in, out, w, result);
              }
    return result;
  }

 private:
  std::size_t batch() const { return static_cast<std::size_t>(p_.batch); }
  std::size_t taps() const { return static_cast<std::size_t>(p_.kernel_height * p_.kernel_width); }
  static std::size_t index(int channel, int y, int x, int height, int width) {
    return (static_cast<std::size_t>(channel) * static_cast<std::size_t>(height) +
            static_cast<std::size_t>(y)) *
               static_cast<std::size_t>(width) +
           static_cast<std::size_t>(x);
  }
  void add(Pass pass, std::size_t in, std::size_t out, std::size_t w,
           std::vector<float>& result) const {
    for (std::size_t n = 0; n < batch(); ++n) switch (pass) {
        case Pass::kForward:
          result[out + n] += arrays_.input[in + n] * arrays_.weight[w];
          break;
        case Pass::kBackwardData:
          result[in + n] += arrays_.grad_output[out + n] * arrays_.weight[w];
          break;
        case Pass::kBackwardWeights:
          result[w] += arrays_.input[in + n] * arrays_.grad_output[out + n];
          break;
      }
  }

  const ConvProblem p_;
  const Arrays& arrays_;
};

// Relative to the rms of what is exact; absolute where that is zero, as of a convolution that sees
// nothing but padding.
inline double rms_error(std::span<const float> result, std::span<const float> exact) {
  double error = 0, size = 0;
  for (std::size_t n = 0; n < exact.size(); ++n) {
    const double e = static_cast<double>(result[n]) - static_cast<double>(exact[n]);
    error += e * e;
    size += static_cast<double>(exact[n]) * static_cast<double>(exact[n]);
  }
  return std::sqrt(size > 0.0 ? error / size : error);
}

}  // namespace convoy
