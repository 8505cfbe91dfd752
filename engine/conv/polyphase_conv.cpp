#include "engine/conv/polyphase_conv.h"

#include <algorithm>

#include "engine/base/rounding.h"
#include "engine/conv/conv_cost.h"
#include "engine/conv/gemm_tasks.h"
#include "engine/conv/pieces.h"

namespace convoy {
namespace {

constexpr std::size_t kLine = 16;          // floats in a cache line
constexpr int kMostPhases = 64;            // each a pass with its own overhead
constexpr double kTurnSeconds = 2e-5;      // of a phase's pass, for waiting for all threads
constexpr std::size_t kTaskFloats = 8192;  // of the result or the weights, at least

// One side of a phase: the places first + n * stride that taps `residue`, residue + stride, ...
// reach, n below `places`. As a pass at stride 1 with these paddings.
struct PhaseSide {
  int places = 0, taps = 0, first = 0, before = 0, after = 0;
};

PhaseSide phase_side(int in, int out, int kernel, int padding, int stride, int residue) {
  PhaseSide side;
  side.taps = (kernel - residue + stride - 1) / stride;
  // The outputs q, q - 1, ... reach the place p, for which p + padding = residue + stride * q.
  side.before = residue < padding ? (padding - residue + stride - 1) / stride : 0;
  side.first = residue + stride * side.before - padding;
  if (side.first >= in) return side;
  const int within = (in - side.first + stride - 1) / stride;
  // Places at the end may be out of reach of all outputs.
  side.places = std::min(within, out - 1 + side.taps - side.before);
  side.after = out - 1 + side.taps - side.before - side.places;
  return side;
}

std::size_t map_floats(const ConvProblem& p) {
  return static_cast<std::size_t>(p.in_height) * static_cast<std::size_t>(p.in_width) *
         static_cast<std::size_t>(p.batch);
}

class PolyphasePlan : public ConvPlan {
 public:
  struct Phase {
    InputPhase of;                            // of the largest part of the channels
    std::unique_ptr<ConvPlan> plan, smaller;  // of such parts, and of those with one less
    std::size_t weights, maps;                // where they begin in the scratch, in floats
  };

  // The channels go in `parts` nearly equal parts. Null where that needs more than `limit` bytes.
  static std::unique_ptr<PolyphasePlan> make(const ConvAlgorithm& algorithm,
                                             const ConvProblem& problem, int threads,
                                             std::size_t limit, std::size_t parts) {
    std::unique_ptr<PolyphasePlan> plan(new PolyphasePlan(problem, threads, parts));
    return plan->find_phases(algorithm, limit) ? std::move(plan) : nullptr;
  }

  std::size_t scratch_bytes() const override { return own_bytes() + phase_bytes_; }
  double executed_flops() const override { return flops_; }

  void run(const ConvOperands& operands, std::span<std::byte> scratch, ThreadPool& pool,
           const StopToken* stop, ConvPhases* phases) const override {
    check_room("convolution by phases", threads_, scratch_bytes(), pool, scratch);
    float* const floats = reinterpret_cast<float*>(scratch.data());
    for (std::size_t n = 0; n < parts_; ++n) {
      const Range part = channels(n);
      gather_weights(operands.weight, part, floats, pool, stop);
      for (const Phase& phase : phases_) {
        const ConvPlan& plan = part.size() == channels(0).size() ? *phase.plan : *phase.smaller;
        plan.run({nullptr, floats + phase.weights, operands.grad_output, floats + phase.maps},
                 scratch.subspan(own_bytes()), pool, stop, phases);
      }
      lay_out(floats, part, operands.result, pool, stop);
    }
  }

 private:
  PolyphasePlan(const ConvProblem& problem, int threads, std::size_t parts)
      : p_(problem), threads_(threads), parts_(parts) {}

  std::size_t own_bytes() const { return own_floats_ * sizeof(float); }
  // The first part is the largest.
  Range channels(std::size_t part) const {
    const auto all = static_cast<std::size_t>(p_.in_channels);
    return {all - split_range(all, parts_, parts_ - 1 - part, 1).end,
            all - split_range(all, parts_, parts_ - 1 - part, 1).begin};
  }

  bool find_phases(const ConvAlgorithm& algorithm, std::size_t limit) {
    const std::size_t most = channels(0).size(), least = channels(parts_ - 1).size();
    const auto take = [&](std::size_t floats) {
      const std::size_t begin = own_floats_;
      own_floats_ += round_up(floats, kLine);
      return begin;
    };
    for (InputPhase& of : input_phases(p_)) {
      of.problem.in_channels = static_cast<int>(most);
      phases_.push_back(
          {of, nullptr, nullptr, take(of.problem.weight_size()), take(of.problem.input_size())});
    }
    if (own_bytes() > limit) return false;
    const auto plan = [&](ConvProblem problem, std::size_t count) {
      problem.in_channels = static_cast<int>(count);
      auto made = algorithm.plan(problem, Pass::kBackwardData, threads_, limit - own_bytes(), {});
      if (made) phase_bytes_ = std::max(phase_bytes_, made->scratch_bytes());
      return made;
    };
    for (Phase& phase : phases_) {
      phase.plan = plan(phase.of.problem, most);
      if (!phase.plan) return false;
      if (least != most) phase.smaller = plan(phase.of.problem, least);
      if (least != most && !phase.smaller) return false;
    }
    for (std::size_t n = 0; n < parts_; ++n)
      for (const Phase& phase : phases_)
        flops_ += (channels(n).size() == most ? phase.plan : phase.smaller)->executed_flops();
    return true;
  }

  void gather_weights(const float* weight, const Range& part, float* floats, ThreadPool& pool,
                      const StopToken* stop) const {
    const auto kernels = static_cast<std::size_t>(p_.out_channels);
    const std::size_t taps = p_.kernel_elements() / static_cast<std::size_t>(p_.in_channels);
    const std::size_t grain = ceil_div(kTaskFloats, part.size() * taps);
    run_tasks(p_, ceil_div(kernels, grain), pool, stop, [&](std::size_t task, int) {
      for (std::size_t k = task * grain; k < std::min(kernels, (task + 1) * grain); ++k)
        for (const Phase& phase : phases_) {
          const ConvProblem& of = phase.of.problem;
          const std::size_t own_taps = static_cast<std::size_t>(of.kernel_height) *
                                       static_cast<std::size_t>(of.kernel_width);
          const float* const from =
              weight + (k * static_cast<std::size_t>(p_.in_channels) + part.begin) * taps;
          float* to = floats + phase.weights + k * part.size() * own_taps;
          // Tap by tap, all channels of each: loops over a few taps would take longer.
          for (int i = phase.of.row; i < p_.kernel_height; i += p_.stride_height)
            for (int j = phase.of.column; j < p_.kernel_width; j += p_.stride_width)
              copy_pieces(from + i * p_.kernel_width + j, static_cast<std::ptrdiff_t>(taps), to++,
                          static_cast<std::ptrdiff_t>(own_taps), 1,
                          static_cast<std::ptrdiff_t>(part.size()));
        }
    });
  }

  // Lays the phases' maps between one another, line after line.
  void lay_out(const float* floats, const Range& part, float* result, ThreadPool& pool,
               const StopToken* stop) const {
    const auto height = static_cast<std::size_t>(p_.in_height);
    const std::size_t lines = part.size() * height, line = map_floats(p_) / height;
    const std::size_t grain = ceil_div(kTaskFloats, line);
    run_tasks(p_, ceil_div(lines, grain), pool, stop, [&](std::size_t task, int) {
      for (std::size_t n = task * grain; n < std::min(lines, (task + 1) * grain); ++n)
        lay_out_line(floats, n / height, static_cast<int>(n % height),
                     result + (part.begin * height + n) * line);
    });
  }

  void lay_out_line(const float* floats, std::size_t channel, int row, float* to) const {
    const auto batch = static_cast<std::size_t>(p_.batch);
    const auto step = static_cast<std::size_t>(p_.stride_width) * batch;
    int reached = 0;
    for (const Phase& phase : phases_)
      if (reaches(phase, row)) reached += phase.of.problem.in_width;
    if (reached < p_.in_width) std::fill_n(to, static_cast<std::size_t>(p_.in_width) * batch, 0.0f);
    for (const Phase& phase : phases_) {
      if (!reaches(phase, row)) continue;
      const ConvProblem& of = phase.of.problem;
      const auto places = static_cast<std::size_t>(of.in_width);
      const auto line = static_cast<std::size_t>((row - phase.of.first_row) / p_.stride_height);
      const float* const from =
          floats + phase.maps + channel * map_floats(of) + line * places * batch;
      copy_pieces(from, p_.batch, to + static_cast<std::size_t>(phase.of.first_column) * batch,
                  static_cast<std::ptrdiff_t>(step), batch, of.in_width);
    }
  }

  bool reaches(const Phase& phase, int row) const {
    const int distance = row - phase.of.first_row;
    return distance >= 0 && distance % p_.stride_height == 0 &&
           distance / p_.stride_height < phase.of.problem.in_height;
  }

  const ConvProblem p_;
  const int threads_;
  const std::size_t parts_;
  std::vector<Phase> phases_;
  std::size_t own_floats_ = 0, phase_bytes_ = 0;  // weights and maps; the phases' own scratch
  double flops_ = 0.0;
};

}  // namespace

std::vector<InputPhase> input_phases(const ConvProblem& p) {
  std::vector<InputPhase> phases;
  for (int row = 0; row < std::min(p.stride_height, p.kernel_height); ++row)
    for (int column = 0; column < std::min(p.stride_width, p.kernel_width); ++column) {
      const PhaseSide vertical = phase_side(p.in_height, p.out_height(), p.kernel_height,
                                            p.padding.top, p.stride_height, row);
      const PhaseSide horizontal = phase_side(p.in_width, p.out_width(), p.kernel_width,
                                              p.padding.left, p.stride_width, column);
      if (vertical.places < 1 || horizontal.places < 1) continue;
      InputPhase phase{p, row, column, vertical.first, horizontal.first};
      phase.problem.in_height = vertical.places;
      phase.problem.in_width = horizontal.places;
      phase.problem.kernel_height = vertical.taps;
      phase.problem.kernel_width = horizontal.taps;
      phase.problem.padding = {vertical.before, horizontal.before, vertical.after,
                               horizontal.after};
      phase.problem.stride_height = phase.problem.stride_width = 1;
      phases.push_back(phase);
    }
  return phases;
}

template <class Holds>
bool PolyphaseConv::all_phases(const ConvProblem& problem, const Holds& holds) const {
  return std::ranges::all_of(input_phases(problem),
                             [&](const InputPhase& phase) { return holds(phase.problem); });
}

bool PolyphaseConv::supports(const ConvProblem& problem, Pass pass) const {
  if (slides_kernels(problem, pass)) return algorithm_->supports(problem, pass);
  if (1LL * problem.stride_height * problem.stride_width > kMostPhases) return false;
  return all_phases(problem, [&](const ConvProblem& p) { return algorithm_->supports(p, pass); });
}

bool PolyphaseConv::is_accurate(const ConvProblem& problem, Pass pass) const {
  if (slides_kernels(problem, pass)) return algorithm_->is_accurate(problem, pass);
  return all_phases(problem,
                    [&](const ConvProblem& p) { return algorithm_->is_accurate(p, pass); });
}

double PolyphaseConv::estimated_seconds(const ConvProblem& problem, Pass pass, int threads) const {
  if (slides_kernels(problem, pass)) return algorithm_->estimated_seconds(problem, pass, threads);
  const double copied = static_cast<double>(problem.input_size() + problem.weight_size());
  double seconds = copied * sizeof(float) / kCopyBytesPerSecond / threads;
  for (const InputPhase& phase : input_phases(problem))
    seconds += kTurnSeconds + algorithm_->estimated_seconds(phase.problem, pass, threads);
  return seconds;
}

std::unique_ptr<ConvPlan> PolyphaseConv::plan(const ConvProblem& problem, Pass pass, int threads,
                                              std::size_t scratch_limit, OperandSet shared) const {
  if (slides_kernels(problem, pass))
    return algorithm_->plan(problem, pass, threads, scratch_limit, shared);
  if (shared.any()) return nullptr;
  for (std::size_t parts = 1;; parts *= 2) {
    const auto channels = static_cast<std::size_t>(problem.in_channels);
    auto plan = PolyphasePlan::make(*algorithm_, problem, threads, scratch_limit,
                                    std::min(parts, channels));
    if (plan || parts >= channels) return plan;
  }
}

}  // namespace convoy
