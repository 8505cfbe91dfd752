#include "engine/conv/direct_conv.h"

#include <cstdint>

#include "engine/conv/direct_blocking.h"
#include "engine/conv/direct_layout.h"
#include "engine/conv/direct_product.h"
#include "engine/conv/gemm_tasks.h"

namespace convoy {
namespace {

// Fewer weights than these one thread has packed before others have begun.
constexpr std::size_t kManyWeights = std::size_t{64} << 10;
// From this size on the result is written around the caches: it would drive the maps out of them.
constexpr std::size_t kStreamedBytes = std::size_t{8} << 20;

class DirectPlan : public ConvPlan {
 public:
  DirectPlan(const ConvProblem& problem, Pass pass, int threads, const DirectBlocking& blocking)
      : p_(problem),
        pass_(pass),
        threads_(threads),
        workers_(is_soon_done(p_) ? 1 : threads),
        blocking_(blocking),
        layout_(problem, pass, blocking.block_lines, blocking.joined) {}

  std::size_t scratch_bytes() const override {
    return sizeof(float) *
           (direct_packed_floats(p_, pass_) + static_cast<std::size_t>(workers_) * work_floats());
  }
  double executed_flops() const override {
    return 2.0 * static_cast<double>(blocking_.rows) * static_cast<double>(layout_.map()) *
           static_cast<double>(layout_.offsets.size());
  }

  void run(const ConvOperands& operands, std::span<std::byte> scratch, ThreadPool& pool,
           const StopToken* stop, ConvPhases*) const override {
    check_room("direct convolution", threads_, scratch_bytes(), pool, scratch);
    float* const floats = reinterpret_cast<float*>(scratch.data());
    if (pass_ == Pass::kBackwardWeights)
      sum_gradients(operands, floats, pool, stop);
    else
      sum_lines(operands, floats, pool, stop);
  }

 private:
  Range rows(std::size_t part) const {
    return split_range(blocking_.rows, blocking_.row_parts, part, kMostRows);
  }
  Range block(std::size_t n) const {
    return split_range(layout_.lines, blocking_.blocks(layout_), n, 1);
  }

  // For backward-data, see pack_direct_kernels().
  void pack_kernels(const float* weight, float* packed, ThreadPool& pool,
                    const StopToken* stop) const {
    const std::size_t inner = layout_.offsets.size();
    const std::size_t shares =
        blocking_.rows * inner < kManyWeights ? 1 : static_cast<std::size_t>(workers_);
    const auto pack = [&](std::size_t n, int) {
      const Range range = rows(n / shares);
      pack_direct_kernels(p_, weight, range, packed + range.begin * inner, n % shares, shares);
    };
    if (shares == 1)
      for (std::size_t n = 0; n < blocking_.row_parts; ++n) pack(n, 0);
    else
      run_tasks(p_, blocking_.row_parts * shares, pool, stop, pack);
  }

  void sum_lines(const ConvOperands& operands, float* packed, ThreadPool& pool,
                 const StopToken* stop) const {
    if (pass_ == Pass::kBackwardData) pack_kernels(operands.weight, packed, pool, stop);
    float* const works = packed + direct_packed_floats(p_, pass_);
    const std::size_t blocks = blocking_.blocks(layout_);
    const float* const maps = pass_ == Pass::kForward ? operands.input : operands.grad_output;
    const bool stream = blocking_.rows * layout_.map() * sizeof(float) > kStreamedBytes &&
                        layout_.run % kMostLanes == 0 &&
                        reinterpret_cast<std::uintptr_t>(operands.result) % 64 == 0;
    run_tasks(p_, blocking_.row_parts * blocks, pool, stop, [&](std::size_t n, int thread) {
      if (stop) stop->throw_if_stopped();
      const Range range = rows(n % blocking_.row_parts), lines = block(n / blocking_.row_parts);
      float* const work = works + work_floats() * static_cast<std::size_t>(thread);
      const float* const from =
          layout_.place(maps, lines, work + work_floats() - layout_.copy_floats());
      sum_direct(pass_, layout_,
                 {pass_ == Pass::kForward ? operands.weight
                                          : packed + range.begin * layout_.offsets.size(),
                  from, range, lines, operands.result, stream},
                 work);
    });
  }

  void sum_gradients(const ConvOperands& operands, float* works, ThreadPool& pool,
                     const StopToken* stop) const {
    run_tasks(
        p_, blocking_.row_parts * blocking_.tap_parts, pool, stop, [&](std::size_t n, int thread) {
          float* const copy = works + work_floats() * static_cast<std::size_t>(thread);
          float* const work = copy + layout_.copy_floats();
          const Range kernels =
              split_range(blocking_.rows, blocking_.row_parts, n % blocking_.row_parts, 4);
          const Range taps =
              split_range(layout_.offsets.size(), blocking_.tap_parts, n / blocking_.row_parts, 1);
          for (std::size_t b = 0; b < blocking_.blocks(layout_); ++b) {
            const float* const from = layout_.place(operands.input, block(b), copy);
            sum_direct_gradient(
                layout_,
                {operands.grad_output, from, kernels, taps, block(b), operands.result, b > 0}, work,
                stop);
          }
        });
  }

  std::size_t work_floats() const { return direct_work_floats(pass_, layout_, blocking_); }

  const ConvProblem p_;
  const Pass pass_;
  const int threads_;  // of the pool, at most
  const int workers_;  // of them that work; one where that is soon done
  const DirectBlocking blocking_;
  const DirectLayout layout_;
};

}  // namespace

bool DirectConv::supports(const ConvProblem& problem, Pass pass) const {
  return slides_kernels(problem, pass);
}

double DirectConv::estimated_seconds(const ConvProblem& problem, Pass pass, int threads) const {
  return direct_seconds(problem, pass, threads);
}

std::unique_ptr<ConvPlan> DirectConv::plan(const ConvProblem& problem, Pass pass, int threads,
                                           std::size_t scratch_limit, OperandSet shared) const {
  if (shared.any()) return nullptr;
  const auto blocking = choose_direct_blocking(problem, pass, threads, scratch_limit);
  if (!blocking) return nullptr;
  return std::make_unique<DirectPlan>(problem, pass, threads, *blocking);
}

}  // namespace convoy
