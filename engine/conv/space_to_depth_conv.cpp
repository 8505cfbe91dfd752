#include "engine/conv/space_to_depth_conv.h"

#include <algorithm>

#include "engine/base/rounding.h"
#include "engine/conv/conv_cost.h"
#include "engine/conv/gemm_tasks.h"
#include "engine/conv/pieces.h"

namespace convoy {
namespace {

constexpr std::size_t kLine = 16;               // floats in a cache line
constexpr double kReshapeBytesPerSecond = 3e9;  // one thread

bool is_strided(const ConvProblem& p) {
  return p.stride_height != 1 || p.stride_width != 1;
}

int ceil_of(int a, int b) {  // also below zero
  return a >= 0 ? (a + b - 1) / b : -(-a / b);
}

class SpaceToDepthPlan : public ConvPlan {
 public:
  SpaceToDepthPlan(const ConvProblem& problem, Pass pass, int threads,
                   std::unique_ptr<ConvPlan> plan)
      : p_(problem),
        deep_(space_to_depth(problem)),
        pass_(pass),
        threads_(threads),
        plan_(std::move(plan)) {}

  // What the plan at stride 1 cannot have of the scratch: maps and weights in their other shape.
  static std::size_t own_bytes(const ConvProblem& problem) {
    const ConvProblem deep = space_to_depth(problem);
    return sizeof(float) *
           (round_up(deep.input_size(), kLine) + round_up(deep.weight_size(), kLine));
  }
  std::size_t scratch_bytes() const override { return own_bytes(p_) + plan_->scratch_bytes(); }
  std::size_t shared_floats(Operand operand) const override {
    return plan_->shared_floats(operand);
  }
  double executed_flops() const override { return plan_->executed_flops(); }

  void run(const ConvOperands& operands, std::span<std::byte> scratch, ThreadPool& pool,
           const StopToken* stop, ConvPhases* phases) const override {
    check_room("strided convolution", threads_, scratch_bytes(), pool, scratch);
    float* const maps = reinterpret_cast<float*>(scratch.data());
    float* const weights = maps + round_up(deep_.input_size(), kLine);
    const auto is_needed = [&](Operand operand) {
      const SharedForm* const form = operands.shared[static_cast<std::size_t>(operand)];
      return reads(pass_, operand) && !(form && form->made);
    };
    if (is_needed(Operand::kInput)) reshape_input(operands.input, maps, pool, stop);
    if (is_needed(Operand::kWeight)) reshape_weights(operands.weight, weights, pool, stop);
    ConvOperands deep = operands;
    deep.input = maps;
    deep.weight = weights;
    if (pass_ == Pass::kBackwardData) deep.result = maps;
    if (pass_ == Pass::kBackwardWeights) deep.result = weights;
    plan_->run(deep, scratch.subspan(own_bytes(p_)), pool, stop, phases);
    if (pass_ == Pass::kBackwardData) restore_input(maps, operands.result, pool, stop);
    if (pass_ == Pass::kBackwardWeights) restore_weights(weights, operands.result, pool, stop);
  }

 private:
  // Columns of a line of a phase that lie in the input, and where the first of them does.
  struct Columns {
    std::ptrdiff_t begin, end, first;
  };
  Columns columns(int phase) const {
    const int stride = p_.stride_width, left = p_.padding.left;
    const int begin = std::clamp(ceil_of(left - phase, stride), 0, deep_.in_width);
    const int end = std::clamp(ceil_of(p_.in_width + left - phase, stride), begin, deep_.in_width);
    return {begin, end, stride * begin + phase - left};
  }

  // Calls work(row of the input or -1, line of the deep maps, column phase, channel) for every line
  // of these.
  template <class Work>
  void for_lines(ThreadPool& pool, const StopToken* stop, const Work& work) const {
    const auto row_phases = static_cast<std::size_t>(p_.stride_height);
    const auto column_phases = static_cast<std::size_t>(p_.stride_width);
    run_tasks(
        p_, static_cast<std::size_t>(deep_.in_channels), pool, stop, [&](std::size_t map, int) {
          const auto column_phase = static_cast<int>(map % column_phases);
          const auto row_phase = static_cast<int>(map / column_phases % row_phases);
          const std::size_t channel = map / column_phases / row_phases;
          for (int line = 0; line < deep_.in_height; ++line) {
            const int row = line * p_.stride_height + row_phase - p_.padding.top;
            work(row >= 0 && row < p_.in_height ? row : -1,
                 map * static_cast<std::size_t>(deep_.in_height) + static_cast<std::size_t>(line),
                 column_phase, channel);
          }
        });
  }
  std::size_t line_floats() const { return floats(deep_.in_width); }
  std::size_t floats(int columns) const {
    return static_cast<std::size_t>(columns) * static_cast<std::size_t>(p_.batch);
  }
  std::size_t row_at(std::size_t channel, int row) const {
    return (channel * static_cast<std::size_t>(p_.in_height) + static_cast<std::size_t>(row)) *
           floats(p_.in_width);
  }

  void reshape_input(const float* input, float* maps, ThreadPool& pool,
                     const StopToken* stop) const {
    const std::ptrdiff_t batch = p_.batch;
    for_lines(pool, stop, [&](int row, std::size_t line, int phase, std::size_t channel) {
      float* const to = maps + line * line_floats();
      if (row < 0) {
        std::fill_n(to, line_floats(), 0.0f);
        return;
      }
      const Columns in = columns(phase);
      std::fill(to, to + in.begin * batch, 0.0f);
      copy_pieces(input + row_at(channel, row) + in.first * batch, p_.stride_width * batch,
                  to + in.begin * batch, batch, floats(1), in.end - in.begin);
      std::fill(to + in.end * batch, to + line_floats(), 0.0f);
    });
  }

  // Places that no output reads have no line, and a gradient of zero.
  void restore_input(const float* maps, float* grad_input, ThreadPool& pool,
                     const StopToken* stop) const {
    const std::ptrdiff_t batch = p_.batch;
    const bool all_read = p_.stride_height * deep_.in_height >= p_.in_height + p_.padding.top &&
                          p_.stride_width * deep_.in_width >= p_.in_width + p_.padding.left;
    if (!all_read)
      pool.parallel_ranges(p_.input_size(), 1024, [&](std::size_t begin, std::size_t end, int) {
        std::fill(grad_input + begin, grad_input + end, 0.0f);
      });
    for_lines(pool, stop, [&](int row, std::size_t line, int phase, std::size_t channel) {
      if (row < 0) return;
      const Columns in = columns(phase);
      copy_pieces(maps + line * line_floats() + in.begin * batch, batch,
                  grad_input + row_at(channel, row) + in.first * batch, p_.stride_width * batch,
                  floats(1), in.end - in.begin);
    });
  }

  // Calls work(tap or -1, deep tap) for the deep taps of one channel.
  template <class Work>
  void for_taps(const Work& work) const {
    for (int i = 0; i < p_.stride_height * deep_.kernel_height; ++i)
      for (int j = 0; j < p_.stride_width * deep_.kernel_width; ++j) {
        const int phase = i % p_.stride_height * p_.stride_width + j % p_.stride_width;
        const int deep_tap =
            (phase * deep_.kernel_height + i / p_.stride_height) * deep_.kernel_width +
            j / p_.stride_width;
        const bool is_tap = i < p_.kernel_height && j < p_.kernel_width;
        work(is_tap ? i * p_.kernel_width + j : -1, deep_tap);
      }
  }
  // Calls work(floats before the channel's taps, the same of the deep kernels) for each channel of
  // each kernel.
  template <class Work>
  void for_kernels(ThreadPool& pool, const StopToken* stop, const Work& work) const {
    const auto channels = static_cast<std::size_t>(p_.in_channels);
    const std::size_t taps = p_.kernel_elements() / channels;
    const std::size_t deep_taps = deep_.kernel_elements() / channels;
    run_tasks(p_, static_cast<std::size_t>(p_.out_channels), pool, stop,
              [&](std::size_t kernel, int) {
                for (std::size_t c = kernel * channels; c < (kernel + 1) * channels; ++c)
                  work(c * taps, c * deep_taps);
              });
  }

  void reshape_weights(const float* weight, float* deep, ThreadPool& pool,
                       const StopToken* stop) const {
    for_kernels(pool, stop, [&](std::size_t from, std::size_t to) {
      for_taps([&](int tap, int deep_tap) {
        deep[to + static_cast<std::size_t>(deep_tap)] =
            tap < 0 ? 0.0f : weight[from + static_cast<std::size_t>(tap)];
      });
    });
  }
  void restore_weights(const float* deep, float* grad_weight, ThreadPool& pool,
                       const StopToken* stop) const {
    for_kernels(pool, stop, [&](std::size_t to, std::size_t from) {
      for_taps([&](int tap, int deep_tap) {
        if (tap >= 0)
          grad_weight[to + static_cast<std::size_t>(tap)] =
              deep[from + static_cast<std::size_t>(deep_tap)];
      });
    });
  }

  const ConvProblem p_, deep_;
  const Pass pass_;
  const int threads_;
  const std::unique_ptr<ConvPlan> plan_;
};

}  // namespace

ConvProblem space_to_depth(const ConvProblem& p) {
  ConvProblem deep = p;
  deep.stride_height = deep.stride_width = 1;
  deep.padding = {};
  deep.in_channels = p.in_channels * p.stride_height * p.stride_width;
  deep.kernel_height = ceil_of(p.kernel_height, p.stride_height);
  deep.kernel_width = ceil_of(p.kernel_width, p.stride_width);
  deep.in_height = p.out_height() + deep.kernel_height - 1;
  deep.in_width = p.out_width() + deep.kernel_width - 1;
  return deep;
}

bool SpaceToDepthConv::supports(const ConvProblem& problem, Pass pass) const {
  if (!is_strided(problem)) return algorithm_->supports(problem, pass);
  // Kernels that the stride leaps over would be mostly zeros.
  return problem.stride_height <= problem.kernel_height &&
         problem.stride_width <= problem.kernel_width &&
         algorithm_->supports(space_to_depth(problem), pass);
}

bool SpaceToDepthConv::is_accurate(const ConvProblem& problem, Pass pass) const {
  // Zeros are no products; and a place of the input is reached by one phase's taps alone.
  const bool by_phases = is_strided(problem) && pass == Pass::kBackwardData;
  return algorithm_->is_accurate(by_phases ? space_to_depth(problem) : problem, pass);
}

double SpaceToDepthConv::estimated_seconds(const ConvProblem& problem, Pass pass,
                                           int threads) const {
  if (!is_strided(problem)) return algorithm_->estimated_seconds(problem, pass, threads);
  const ConvProblem deep = space_to_depth(problem);
  const auto copied = static_cast<double>(deep.input_size() + deep.weight_size());
  return algorithm_->estimated_seconds(deep, pass, threads) +
         copied * sizeof(float) / kReshapeBytesPerSecond / threads;
}

std::unique_ptr<ConvPlan> SpaceToDepthConv::plan(const ConvProblem& problem, Pass pass, int threads,
                                                 std::size_t scratch_limit,
                                                 OperandSet shared) const {
  if (!is_strided(problem)) return algorithm_->plan(problem, pass, threads, scratch_limit, shared);
  const std::size_t own = SpaceToDepthPlan::own_bytes(problem);
  if (own > scratch_limit) return nullptr;
  auto plan = algorithm_->plan(space_to_depth(problem), pass, threads, scratch_limit - own, shared);
  if (!plan) return nullptr;
  return std::make_unique<SpaceToDepthPlan>(problem, pass, threads, std::move(plan));
}

}  // namespace convoy
