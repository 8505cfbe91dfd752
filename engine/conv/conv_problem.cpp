#include "engine/conv/conv_problem.h"

#include "engine/base/error.h"

namespace convoy {

bool reads(Pass pass, Operand operand) {
  switch (operand) {
    case Operand::kInput:
      return pass != Pass::kBackwardData;
    case Operand::kWeight:
      return pass != Pass::kBackwardWeights;
    case Operand::kGradOutput:
      return pass != Pass::kForward;
  }
  return false;
}

bool slides_kernels(const ConvProblem& problem, Pass pass) {
  return pass != Pass::kBackwardData || (problem.stride_height == 1 && problem.stride_width == 1);
}

const char* pass_name(Pass pass) {
  switch (pass) {
    case Pass::kForward:
      return "forward";
    case Pass::kBackwardData:
      return "backward-data";
    case Pass::kBackwardWeights:
      break;
  }
  return "backward-weights";
}

Padding Padding::same(int kernel_height, int kernel_width) {
  const int vertical = kernel_height - 1, horizontal = kernel_width - 1;
  return {vertical / 2, horizontal / 2, vertical - vertical / 2, horizontal - horizontal / 2};
}

std::size_t ConvProblem::input_size() const {
  return static_cast<std::size_t>(in_channels) * in_height * in_width * batch;
}
std::size_t ConvProblem::output_size() const {
  return static_cast<std::size_t>(out_channels) * out_height() * out_width() * batch;
}
std::size_t ConvProblem::pooled_size() const {
  return static_cast<std::size_t>(out_channels) * (out_height() / 2) * (out_width() / 2) * batch;
}
std::size_t ConvProblem::kernel_elements() const {
  return static_cast<std::size_t>(in_channels) * kernel_height * kernel_width;
}
std::size_t ConvProblem::weight_size() const {
  return kernel_elements() * out_channels;
}

double ConvProblem::flops() const {
  return 2.0 * static_cast<double>(kernel_elements()) * static_cast<double>(output_size());
}

ConvProblem ConvProblem::with_kernels(int count) const {
  ConvProblem part = *this;
  part.out_channels = count;
  return part;
}
ConvProblem ConvProblem::with_batch(int count) const {
  ConvProblem part = *this;
  part.batch = count;
  return part;
}

void ConvProblem::validate() const {
  const auto refuse = [](const std::string& what) {
    throw Error(ErrorKind::kExperiment, "convolution", what);
  };
  const auto positive = [&](const char* name, int value) {
    if (value < 1)
      refuse(std::string(name) + " is " + std::to_string(value) + "; it must be at least 1");
  };
  positive("batch", batch);
  positive("in_channels", in_channels);
  positive("in_height", in_height);
  positive("in_width", in_width);
  positive("out_channels", out_channels);
  positive("kernel_height", kernel_height);
  positive("kernel_width", kernel_width);
  positive("stride_height", stride_height);
  positive("stride_width", stride_width);
  constexpr int kLongest = 1 << 20;  // keeps every sum of sizes far from overflow
  for (int size :
       {batch, in_channels, in_height, in_width, out_channels, kernel_height, kernel_width,
        stride_height, stride_width, padding.top, padding.left, padding.bottom, padding.right})
    if (size > kLongest) refuse("a size is " + std::to_string(size) + "; the largest is 1048576");
  if (padding.top < 0 || padding.left < 0 || padding.bottom < 0 || padding.right < 0)
    refuse("padding must not be negative");
  if (kernel_height > in_height + padding.top + padding.bottom ||
      kernel_width > in_width + padding.left + padding.right)
    refuse("the " + std::to_string(kernel_height) + "x" + std::to_string(kernel_width) +
           " kernel is larger than the padded " +
           std::to_string(in_height + padding.top + padding.bottom) + "x" +
           std::to_string(in_width + padding.left + padding.right) + " input");
  constexpr double kMost = 1099511627776.0;  // 2^40
  const double input = 1.0 * in_channels * in_height * in_width * batch;
  const double output = 1.0 * out_channels * out_height() * out_width() * batch;
  const double weight = 1.0 * out_channels * in_channels * kernel_height * kernel_width;
  if (input > kMost || output > kMost || weight > kMost)
    refuse("an operand of " + describe() + " has more than 2^40 elements");
}

std::string ConvProblem::describe() const {
  return std::to_string(in_channels) + " -> " + std::to_string(out_channels) + ", " +
         std::to_string(kernel_height) + "x" + std::to_string(kernel_width) + " on " +
         std::to_string(in_height) + "x" + std::to_string(in_width) + ", batch " +
         std::to_string(batch);
}

}  // namespace convoy

std::size_t std::hash<convoy::ConvProblem>::operator()(
    const convoy::ConvProblem& p) const noexcept {
  std::size_t h = 0;
  for (int value : {p.batch, p.in_channels, p.in_height, p.in_width, p.out_channels,
                    p.kernel_height, p.kernel_width, p.padding.top, p.padding.left,
                    p.padding.bottom, p.padding.right, p.stride_height, p.stride_width})
    h ^= static_cast<std::size_t>(value) + 0x9e3779b97f4a7c15ULL + (h << 6) + (h >> 2);
  return h;
}
