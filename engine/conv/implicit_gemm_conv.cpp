#include "engine/conv/implicit_gemm_conv.h"

#include "engine/conv/gemm_tasks.h"
#include "engine/conv/implicit_gemm_blocking.h"

namespace convoy {
namespace {

class ImplicitGemmPlan : public ConvPlan {
 public:
  ImplicitGemmPlan(const ConvProblem& problem, Pass pass, int threads,
                   const ImplicitGemmBlocking& blocking)
      : p_(problem),
        pass_(pass),
        threads_(threads),
        workers_(is_soon_done(p_) ? 1 : threads),
        blocking_(blocking),
        sides_(implicit_product_sides(p_, pass_)) {}

  std::size_t scratch_bytes() const override { return blocking_.scratch_bytes(workers_, sides_); }
  double executed_flops() const override {
    return 2.0 * static_cast<double>(sides_.rows) * static_cast<double>(sides_.columns) *
           static_cast<double>(sides_.inner);
  }

  void run(const ConvOperands& operands, std::span<std::byte> scratch, ThreadPool& pool,
           const StopToken* stop, ConvPhases*) const override {
    check_room("implicit GEMM convolution", threads_, scratch_bytes(), pool, scratch);
    float* const works = reinterpret_cast<float*>(scratch.data());
    float* const partials = works + static_cast<std::size_t>(workers_) * blocking_.work_floats();
    const std::size_t size = sides_.rows * sides_.columns;
    const std::size_t stride = blocking_.partial_stride(sides_);
    run_tasks(p_, blocking_.tasks(), pool, stop, [&](std::size_t n, int thread) {
      const std::size_t part = n / (blocking_.row_parts * blocking_.column_parts);
      ImplicitBlock task = make_task(n, part);
      task.result = part == 0 ? operands.result : partials + (part - 1) * stride;
      multiply(operands, task, works + static_cast<std::size_t>(thread) * blocking_.work_floats(),
               stop);
    });
    add_partials(partials, blocking_.inner_parts - 1, stride, size, operands.result, pool);
  }

 private:
  // Neighbouring tasks share columns, so that threads read the same maps at about the same time.
  ImplicitBlock make_task(std::size_t n, std::size_t inner_part) const {
    const std::size_t row_part = n % blocking_.row_parts;
    const std::size_t column_part = n / blocking_.row_parts % blocking_.column_parts;
    ImplicitBlock task = {};
    task.rows = split_range(sides_.rows, blocking_.row_parts, row_part, kTileRows);
    task.columns = split_range(sides_.columns, blocking_.column_parts, column_part, kTileColumns);
    task.inner = split_range(sides_.inner, blocking_.inner_parts, inner_part, 1);
    return task;
  }

  void multiply(const ConvOperands& operands, const ImplicitBlock& task, float* work,
                const StopToken* stop) const {
    for_blocks(task.columns, blocking_.column_block, [&](Range columns) {
      for_blocks(task.inner, blocking_.inner_block, [&](Range inner) {
        if (stop) stop->throw_if_stopped();
        const bool add = inner.begin > task.inner.begin;
        multiply_implicit(p_, pass_, operands,
                          {task.rows, columns, inner, task.result, add, blocking_.in_place}, work);
      });
    });
  }

  const ConvProblem p_;
  const Pass pass_;
  const int threads_;  // of the pool, at most
  const int workers_;  // of them that work; one where that is soon done
  const ImplicitGemmBlocking blocking_;
  const ProductSides sides_;
};

}  // namespace

bool ImplicitGemmConv::supports(const ConvProblem& problem, Pass pass) const {
  return slides_kernels(problem, pass);
}

double ImplicitGemmConv::estimated_seconds(const ConvProblem& problem, Pass pass,
                                           int threads) const {
  return implicit_gemm_seconds(problem, pass, threads);
}

std::unique_ptr<ConvPlan> ImplicitGemmConv::plan(const ConvProblem& problem, Pass pass, int threads,
                                                 std::size_t scratch_limit,
                                                 OperandSet shared) const {
  if (shared.any()) return nullptr;
  const auto blocking = choose_implicit_gemm_blocking(problem, pass, threads, scratch_limit);
  if (!blocking) return nullptr;
  return std::make_unique<ImplicitGemmPlan>(problem, pass, threads, *blocking);
}

}  // namespace convoy
