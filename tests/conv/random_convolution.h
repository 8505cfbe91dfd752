// Random convolutions for the tests, with values that make every sum exact: small integers, so that
// any correct order of summation gives the same floats.
#pragma once

#include <QString>
#include <algorithm>
#include <cstring>
#include <vector>

#include "engine/base/random.h"
#include "engine/conv/conv_algorithm.h"
#include "engine/tensor/buffer.h"

namespace convoy {

inline std::size_t result_size(const ConvProblem& problem, Pass pass) {
  switch (pass) {
    case Pass::kForward:
      return problem.output_size();
    case Pass::kBackwardData:
      return problem.input_size();
    case Pass::kBackwardWeights:
      break;
  }
  return problem.weight_size();
}

// Batches, kernels, strides and paddings of all kinds: one-row images, kernels as large as the
// padded input, paddings as large as the kernel, different on all sides.
inline ConvProblem random_problem(Random& random) {
  const auto between = [&](int low, int high) {
    return low + static_cast<int>(random.below(static_cast<std::uint64_t>(high - low + 1)));
  };
  ConvProblem p;
  p.batch = between(1, 9);
  p.in_channels = between(1, between(1, 40));
  p.out_channels = between(1, between(1, 40));
  p.kernel_height = between(1, between(1, 11));
  p.kernel_width = between(1, between(1, 11));
  p.stride_height = between(1, 3);
  p.stride_width = between(1, 3);
  p.padding = {between(0, p.kernel_height), between(0, p.kernel_width), between(0, p.kernel_height),
               between(0, p.kernel_width)};
  const int least_height = std::max(1, p.kernel_height - p.padding.top - p.padding.bottom);
  const int least_width = std::max(1, p.kernel_width - p.padding.left - p.padding.right);
  const bool tight = between(0, 5) == 0, one_row = between(0, 5) == 0;
  p.in_height = tight || one_row ? least_height : between(least_height, least_height + 12);
  p.in_width = tight ? least_width : between(least_width, least_width + 12);
  p.validate();
  return p;
}

inline QString problem_text(const ConvProblem& p) {
  return QString("%1, padding %2 %3 %4 %5, stride %6 %7")
      .arg(QString::fromStdString(p.describe()))
      .arg(p.padding.top)
      .arg(p.padding.left)
      .arg(p.padding.bottom)
      .arg(p.padding.right)
      .arg(p.stride_height)
      .arg(p.stride_width);
}

// Square, without padding, stride 1.
inline ConvProblem make_problem(int batch, int channels, int size, int kernels, int kernel_size) {
  ConvProblem p;
  p.batch = batch;
  p.in_channels = channels;
  p.in_height = p.in_width = size;
  p.out_channels = kernels;
  p.kernel_height = p.kernel_width = kernel_size;
  return p;
}

inline void fill_integers(FloatBuffer& buffer, Random& random) {
  for (float& value : buffer.span())
    value = static_cast<float>(static_cast<int>(random.below(7)) - 3);
}
inline void fill_normal(FloatBuffer& buffer, Random& random) {
  for (float& value : buffer.span()) value = static_cast<float>(random.normal());
}

// The three operands of a problem.
struct Arrays {
  FloatBuffer input, weight, grad_output;
  explicit Arrays(const ConvProblem& p)
      : input(p.input_size()), weight(p.weight_size()), grad_output(p.output_size()) {}
  Arrays(const ConvProblem& p, Random& random) : Arrays(p) {
    fill_integers(input, random);
    fill_integers(weight, random);
    fill_integers(grad_output, random);
  }
  ConvOperands operands(float* result) const {
    return {input.data(), weight.data(), grad_output.data(), result};
  }
};

// Operands whose sums are rounded.
inline Arrays normal_arrays(const ConvProblem& p, Random& random) {
  Arrays arrays(p);
  for (FloatBuffer* buffer : {&arrays.input, &arrays.weight, &arrays.grad_output})
    fill_normal(*buffer, random);
  return arrays;
}

// Memory of exactly `size` floats between guards; every byte that is not written yet reads as NaN.
class GuardedBuffer {
 public:
  explicit GuardedBuffer(std::size_t size) : size_(size), memory_(size + 2 * kGuard) {
    std::memset(memory_.data(), 0xff, memory_.size() * sizeof(float));
  }
  float* data() { return memory_.data() + kGuard; }
  std::span<float> span() { return {data(), size_}; }
  std::span<std::byte> bytes(std::size_t count) {
    return std::as_writable_bytes(span()).first(count);
  }
  bool guards_are_whole() const {
    const auto untouched = [](const float* p) {
      const auto* bytes = reinterpret_cast<const unsigned char*>(p);
      return std::all_of(bytes, bytes + kGuard * sizeof(float),
                         [](unsigned char byte) { return byte == 0xff; });
    };
    return untouched(memory_.data()) && untouched(memory_.data() + kGuard + size_);
  }

 private:
  static constexpr std::size_t kGuard = 64;  // keeps the 64-byte alignment
  std::size_t size_;
  FloatBuffer memory_;
};

inline std::vector<float> run_reference(const ConvProblem& problem, Pass pass, const Arrays& arrays,
                                        ThreadPool& pool) {
  std::vector<float> result(result_size(problem, pass));
  find_conv_algorithm("reference")
      ->plan(problem, pass, pool.size(), 0)
      ->run(arrays.operands(result.data()), {}, pool, nullptr);
  return result;
}

}  // namespace convoy
