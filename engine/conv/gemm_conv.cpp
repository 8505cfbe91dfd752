#include "engine/conv/gemm_conv.h"

#include <algorithm>

#include "engine/conv/conv_cost.h"
#include "engine/conv/gemm_blocking.h"
#include "engine/conv/gemm_tasks.h"
#include "engine/conv/im2col.h"
#include "engine/tensor/blas.h"

namespace convoy {
namespace {

constexpr std::size_t kLine = 16;  // floats in a cache line

class GemmPlan : public ConvPlan {
 public:
  GemmPlan(const ConvProblem& problem, Pass pass, int threads, const GemmBlocking& blocking)
      : p_(problem),
        pass_(pass),
        threads_(threads),
        workers_(is_soon_done(p_) ? 1 : threads),
        blocking_(blocking),
        taps_(static_cast<std::size_t>(p_.kernel_height) * p_.kernel_width),
        kernels_(static_cast<std::size_t>(p_.out_channels)),
        rows_(p_.kernel_elements()),
        columns_(p_.output_size() / kernels_) {}

  std::size_t scratch_bytes() const override {
    return blocking_.scratch_bytes(workers_, partial_size());
  }
  double executed_flops() const override { return p_.flops(); }

  void run(const ConvOperands& operands, std::span<std::byte> scratch, ThreadPool& pool,
           const StopToken* stop, ConvPhases*) const override {
    check_room("gemm convolution", threads_, scratch_bytes(), pool, scratch);
    float* const blocks = reinterpret_cast<float*>(scratch.data());
    float* const partials = blocks + static_cast<std::size_t>(workers_) * blocking_.block_floats();
    const auto work = [&](std::size_t n, int thread) {
      const Task task = make_task(n, operands.result, partials);
      float* block = blocks + static_cast<std::size_t>(thread) * blocking_.block_floats();
      switch (pass_) {
        case Pass::kForward:
          return forward(operands, task, block, stop);
        case Pass::kBackwardData:
          return backward_data(operands, task, block, stop);
        case Pass::kBackwardWeights:
          return backward_weights(operands, task, block, stop);
      }
    };
    run_tasks(p_, blocking_.tasks(), pool, stop, work);
    if (pass_ != Pass::kForward)
      add_partials(partials, blocking_.column_parts - 1, partial_stride(), partial_size(),
                   operands.result, pool);
  }

 private:
  struct Task {
    Range kernels, rows, columns;
    float* result;  // or the partial result of a later column part
  };

  // Floats of one partial result.
  std::size_t partial_size() const {
    switch (pass_) {
      case Pass::kForward:
        return 0;  // column parts of Y are Y's own columns
      case Pass::kBackwardData:
        return p_.input_size();
      case Pass::kBackwardWeights:
        break;
    }
    return p_.weight_size();
  }
  std::size_t partial_stride() const { return (partial_size() + kLine - 1) / kLine * kLine; }

  // Neighbouring tasks share columns, so that threads read the same input at about the same time.
  Task make_task(std::size_t n, float* result, float* partials) const {
    const std::size_t kernel_part = n % blocking_.kernel_parts;
    n /= blocking_.kernel_parts;
    const std::size_t row_part = n % blocking_.row_parts;
    const std::size_t column_part = n / blocking_.row_parts;
    const std::size_t row_grain = pass_ == Pass::kBackwardData ? taps_ : 1;
    Task task;
    task.kernels = split_range(kernels_, blocking_.kernel_parts, kernel_part, 1);
    task.rows = split_range(rows_, blocking_.row_parts, row_part, row_grain);
    task.columns = split_range(columns_, blocking_.column_parts, column_part, kLine);
    task.result = pass_ == Pass::kForward || column_part == 0
                      ? result
                      : partials + (column_part - 1) * partial_stride();
    return task;
  }

  // The column matrix of a 1x1 kernel is the input itself.
  bool is_pointwise() const {
    return taps_ == 1 && p_.stride_height == 1 && p_.stride_width == 1 && p_.padding == Padding();
  }
  struct Matrix {
    const float* data;
    std::size_t leading;
  };
  Matrix column_matrix(const float* input, Range rows, Range columns, float* block) const {
    if (is_pointwise()) return {input + rows.begin * columns_ + columns.begin, columns_};
    im2col(p_, input, rows, columns, block);
    return {block, columns.size()};
  }

  void forward(const ConvOperands& o, const Task& task, float* block, const StopToken* stop) const {
    for_blocks(task.columns, blocking_.column_block, [&](Range columns) {
      for_blocks(task.rows, blocking_.row_block, [&](Range rows) {
        if (stop) stop->throw_if_stopped();
        const Matrix x = column_matrix(o.input, rows, columns, block);
        sgemm(Transpose::kNo, Transpose::kNo, task.kernels.size(), columns.size(), rows.size(),
              o.weight + task.kernels.begin * rows_ + rows.begin, rows_, x.data, x.leading,
              rows.begin == task.rows.begin ? 0.0f : 1.0f,
              task.result + task.kernels.begin * columns_ + columns.begin, columns_);
      });
    });
  }

  void backward_weights(const ConvOperands& o, const Task& task, float* block,
                        const StopToken* stop) const {
    for_blocks(task.rows, blocking_.row_block, [&](Range rows) {
      for_blocks(task.columns, blocking_.column_block, [&](Range columns) {
        if (stop) stop->throw_if_stopped();
        const Matrix x = column_matrix(o.input, rows, columns, block);
        sgemm(Transpose::kNo, Transpose::kYes, kernels_, rows.size(), columns.size(),
              o.grad_output + columns.begin, columns_, x.data, x.leading,
              columns.begin == task.columns.begin ? 0.0f : 1.0f, task.result + rows.begin, rows_);
      });
    });
  }

  void backward_data(const ConvOperands& o, const Task& task, float* block,
                     const StopToken* stop) const {
    const std::size_t map = p_.input_size() / static_cast<std::size_t>(p_.in_channels);
    std::fill(task.result + task.rows.begin / taps_ * map,
              task.result + task.rows.end / taps_ * map, 0.0f);
    for_blocks(task.columns, blocking_.column_block, [&](Range columns) {
      for_blocks(task.rows, blocking_.row_block, [&](Range rows) {
        if (stop) stop->throw_if_stopped();
        const bool direct = is_pointwise();
        float* const to = direct ? task.result + rows.begin * columns_ + columns.begin : block;
        sgemm(Transpose::kYes, Transpose::kNo, rows.size(), columns.size(), kernels_,
              o.weight + rows.begin, rows_, o.grad_output + columns.begin, columns_, 0.0f, to,
              direct ? columns_ : columns.size());
        if (!direct) add_col2im(p_, block, rows, columns, task.result);
      });
    });
  }

  const ConvProblem p_;
  const Pass pass_;
  const int threads_;  // of the pool, at most
  const int workers_;  // of them that work; one where that is soon done
  const GemmBlocking blocking_;
  const std::size_t taps_, kernels_, rows_, columns_;
};

}  // namespace

bool GemmConv::supports(const ConvProblem& problem, Pass) const {
  const std::size_t columns =
      problem.output_size() / static_cast<std::size_t>(problem.out_channels);
  return columns <= kMaxBlasSize && problem.kernel_elements() <= kMaxBlasSize;
}

double GemmConv::estimated_seconds(const ConvProblem& problem, Pass pass, int threads) const {
  const double kernels = problem.out_channels;
  const double rows = static_cast<double>(problem.kernel_elements());
  const double columns = static_cast<double>(problem.output_size()) / kernels;
  // Making the column matrix, or adding it up; part of it stays in the caches.
  const double copied = rows * columns * sizeof(float);
  const double copying = pass == Pass::kBackwardData ? 2 * copied : copied;
  return (sgemm_seconds(kernels, columns, rows) + copying / kCopyBytesPerSecond) / threads;
}

std::unique_ptr<ConvPlan> GemmConv::plan(const ConvProblem& problem, Pass pass, int threads,
                                         std::size_t scratch_limit, OperandSet shared) const {
  if (shared.any()) return nullptr;
  const auto blocking = choose_gemm_blocking(problem, pass, threads, scratch_limit);
  if (!blocking) return nullptr;
  return std::make_unique<GemmPlan>(problem, pass, threads, *blocking);
}

}  // namespace convoy
