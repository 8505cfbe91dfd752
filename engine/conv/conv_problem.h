// A convolution (in the field's sense: cross-correlation) as plain data.
//
// Shapes, in memory order:
//   input, grad_input    [in_channels ][in_height ][in_width ][batch]
//   output, grad_output  [out_channels][out_height][out_width][batch]
//   weight, grad_weight  [out_channels][in_channels][kernel_height][kernel_width]
// output[k][y][x][n] = sum over c, i, j of
//   weight[k][c][i][j] * input[c][y*stride_height - padding.top + i][x*stride_width - padding.left
//   + j][n]
// with zeros outside the input. Bias is not part of it.
#pragma once

#include <cstddef>
#include <functional>
#include <string>

namespace convoy {

enum class Pass { kForward, kBackwardData, kBackwardWeights };
inline constexpr Pass kAllPasses[] = {Pass::kForward, Pass::kBackwardData, Pass::kBackwardWeights};

// "forward", "backward-data", "backward-weights": as the command line and the CSV files spell it.
const char* pass_name(Pass pass);

// What a pass reads.
enum class Operand { kInput, kWeight, kGradOutput };
inline constexpr Operand kAllOperands[] = {Operand::kInput, Operand::kWeight, Operand::kGradOutput};
bool reads(Pass pass, Operand operand);

struct Padding {
  int top = 0, left = 0, bottom = 0, right = 0;
  bool operator==(const Padding&) const = default;
  static Padding all(int p) { return {p, p, p, p}; }
  // Output as large as the input at stride 1. Where the sum is odd, the odd row and column go to
  // the bottom and the right, as in PyTorch.
  static Padding same(int kernel_height, int kernel_width);
};

struct ConvProblem {
  int batch = 1;
  int in_channels = 1, in_height = 1, in_width = 1;
  int out_channels = 1;
  int kernel_height = 1, kernel_width = 1;
  Padding padding;
  int stride_height = 1, stride_width = 1;

  bool operator==(const ConvProblem&) const = default;

  int out_height() const {
    return (in_height + padding.top + padding.bottom - kernel_height) / stride_height + 1;
  }
  int out_width() const {
    return (in_width + padding.left + padding.right - kernel_width) / stride_width + 1;
  }
  // Number of floats.
  std::size_t input_size() const;
  std::size_t output_size() const;
  // After 2x2 pooling (engine/tensor/elementwise.h): [out_channels][out_height / 2][out_width /
  // 2][batch].
  std::size_t pooled_size() const;
  std::size_t weight_size() const;
  std::size_t kernel_elements() const;  // of one kernel: in_channels * kernel_height * kernel_width
  // Multiplications and additions of one pass done directly; the same for all three.
  double flops() const;

  // The same layer with `count` of its kernels, or with `count` pictures.
  ConvProblem with_kernels(int count) const;
  ConvProblem with_batch(int count) const;

  // Throws Error(kExperiment) that names the field when a size is not positive, a padding is
  // negative, the kernel is larger than the padded input, or an operand passes 2^40 elements.
  void validate() const;
  // "500 -> 1500, 5x5 on 14x14, batch 128"
  std::string describe() const;
};

// Whether a pass slides kernels over maps: all but backward-data at larger strides, which reaches
// an input's place with only some of the taps.
bool slides_kernels(const ConvProblem& problem, Pass pass);

}  // namespace convoy

template <>
struct std::hash<convoy::ConvProblem> {
  std::size_t operator()(const convoy::ConvProblem& problem) const noexcept;
};
