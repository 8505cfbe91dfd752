#include "engine/conv/reference_conv.h"

#include <algorithm>

namespace convoy {
namespace {

using Index = std::ptrdiff_t;

// Sums over a few images at once, so that the inner loop runs along the batch.
constexpr Index kImages = 64;

struct Sums {
  double values[kImages] = {};
  void add(double factor, const float* maps, Index count) {
    for (Index b = 0; b < count; ++b) values[b] += factor * static_cast<double>(maps[b]);
  }
  void store(float* maps, Index count) const {
    for (Index b = 0; b < count; ++b) maps[b] = static_cast<float>(values[b]);
  }
};

class ReferencePlan : public ConvPlan {
 public:
  ReferencePlan(const ConvProblem& problem, Pass pass) : p_(problem), pass_(pass) {}

  std::size_t scratch_bytes() const override { return 0; }
  double executed_flops() const override { return p_.flops(); }

  void run(const ConvOperands& operands, std::span<std::byte>, ThreadPool& pool,
           const StopToken* stop, ConvPhases*) const override {
    switch (pass_) {
      case Pass::kForward:
        return rows(p_.out_channels, p_.out_height(), pool, stop,
                    [&](Index k, Index y) { forward_row(operands, k, y); });
      case Pass::kBackwardData:
        return rows(p_.in_channels, p_.in_height, pool, stop,
                    [&](Index c, Index h) { backward_data_row(operands, c, h); });
      case Pass::kBackwardWeights:
        return rows(p_.out_channels, p_.in_channels, pool, stop,
                    [&](Index k, Index c) { backward_weights_taps(operands, k, c); });
    }
  }

 private:
  template <class Work>
  static void rows(Index outer, Index inner, ThreadPool& pool, const StopToken* stop,
                   const Work& work) {
    pool.parallel_for(
        static_cast<std::size_t>(outer * inner),
        [&](std::size_t n, int) {
          work(static_cast<Index>(n) / inner, static_cast<Index>(n) % inner);
        },
        stop);
  }

  Index weight_at(Index k, Index c, Index i, Index j) const {
    return ((k * p_.in_channels + c) * p_.kernel_height + i) * p_.kernel_width + j;
  }
  Index input_at(Index c, Index h, Index w) const {
    return ((c * p_.in_height + h) * p_.in_width + w) * p_.batch;
  }
  Index output_at(Index k, Index y, Index x) const {
    return ((k * p_.out_height() + y) * p_.out_width() + x) * p_.batch;
  }

  void forward_row(const ConvOperands& o, Index k, Index y) const {
    for (Index x = 0; x < p_.out_width(); ++x)
      for (Index b = 0; b < p_.batch; b += kImages) {
        const Index count = std::min<Index>(kImages, p_.batch - b);
        Sums sums;
        for (Index c = 0; c < p_.in_channels; ++c)
          for (Index i = 0; i < p_.kernel_height; ++i) {
            const Index h = y * p_.stride_height + i - p_.padding.top;
            if (h < 0 || h >= p_.in_height) continue;
            for (Index j = 0; j < p_.kernel_width; ++j) {
              const Index w = x * p_.stride_width + j - p_.padding.left;
              if (w < 0 || w >= p_.in_width) continue;
              sums.add(o.weight[weight_at(k, c, i, j)], o.input + input_at(c, h, w) + b, count);
            }
          }
        sums.store(o.result + output_at(k, y, x) + b, count);
      }
  }

  void backward_data_row(const ConvOperands& o, Index c, Index h) const {
    for (Index w = 0; w < p_.in_width; ++w)
      for (Index b = 0; b < p_.batch; b += kImages) {
        const Index count = std::min<Index>(kImages, p_.batch - b);
        Sums sums;
        for (Index i = 0; i < p_.kernel_height; ++i) {
          const Index down = h + p_.padding.top - i, y = down / p_.stride_height;
          if (down < 0 || down % p_.stride_height != 0 || y >= p_.out_height()) continue;
          for (Index j = 0; j < p_.kernel_width; ++j) {
            const Index right = w + p_.padding.left - j, x = right / p_.stride_width;
            if (right < 0 || right % p_.stride_width != 0 || x >= p_.out_width()) continue;
            for (Index k = 0; k < p_.out_channels; ++k)
              sums.add(o.weight[weight_at(k, c, i, j)], o.grad_output + output_at(k, y, x) + b,
                       count);
          }
        }
        sums.store(o.result + input_at(c, h, w) + b, count);
      }
  }

  void backward_weights_taps(const ConvOperands& o, Index k, Index c) const {
    for (Index i = 0; i < p_.kernel_height; ++i)
      for (Index j = 0; j < p_.kernel_width; ++j) {
        double sum = 0;
        for (Index y = 0; y < p_.out_height(); ++y) {
          const Index h = y * p_.stride_height + i - p_.padding.top;
          if (h < 0 || h >= p_.in_height) continue;
          for (Index x = 0; x < p_.out_width(); ++x) {
            const Index w = x * p_.stride_width + j - p_.padding.left;
            if (w < 0 || w >= p_.in_width) continue;
            const float* input = o.input + input_at(c, h, w);
            const float* grad = o.grad_output + output_at(k, y, x);
            for (Index b = 0; b < p_.batch; ++b)
              sum += static_cast<double>(input[b]) * static_cast<double>(grad[b]);
          }
        }
        o.result[weight_at(k, c, i, j)] = static_cast<float>(sum);
      }
  }

  const ConvProblem p_;
  const Pass pass_;
};

}  // namespace

double ReferenceConv::estimated_seconds(const ConvProblem& problem, Pass, int threads) const {
  return problem.flops() / (5e8 * threads);
}

std::unique_ptr<ConvPlan> ReferenceConv::plan(const ConvProblem& problem, Pass pass, int,
                                              std::size_t, OperandSet shared) const {
  if (shared.any()) return nullptr;
  return std::make_unique<ReferencePlan>(problem, pass);
}

}  // namespace convoy
