#include "app/cli/conv_shapes.h"

#include <algorithm>

#include "engine/base/error.h"
#include "engine/tensor/npy.h"

namespace convoy::cli {
namespace {

[[noreturn]] void refuse(const std::string& what) {
  throw Error(ErrorKind::kUsage, "", what);
}

constexpr std::size_t kLargest = 1 << 20;

void require_four(const char* option, const std::optional<Shape>& shape, const char* order) {
  if (!shape) return;
  const bool fits = std::all_of(shape->begin(), shape->end(),
                                [](std::size_t side) { return side > 0 && side <= kLargest; });
  if (shape->size() != 4 || !fits)
    refuse(std::string(option) + " has the shape " + shape_text(*shape) + "; it must be " + order +
           ", each from 1 to " + std::to_string(kLargest));
}

int side(const Shape& shape, int index) {
  return static_cast<int>(shape[static_cast<std::size_t>(index)]);
}

// One direction, height or width, of a convolution.
struct Extent {
  int in, kernel, padding, stride;
  int out() const { return in + padding < kernel ? 0 : (in + padding - kernel) / stride + 1; }
};

// The size among `candidates` with which the convolution gives `out`, when it is the only one.
template <class MakeExtent>
int only_size(int from, int to, int out, const MakeExtent& extent, const std::string& direction,
              const std::string& option) {
  std::vector<int> fitting;
  for (int size = std::max(1, from); size <= to; ++size)
    if (extent(size).out() == out) fitting.push_back(size);
  if (fitting.size() == 1) return fitting.front();
  if (fitting.empty())
    refuse("no " + option + " gives a grad_output of " + direction + " " + std::to_string(out) +
           " from these arrays with this padding and stride");
  refuse(option + " is needed: every " + direction + " from " + std::to_string(fitting.front()) +
         " to " + std::to_string(fitting.back()) + " fits these arrays");
}

int padding_sum(const PaddingOption& padding, int kernel, bool vertical) {
  const Padding p = padding.of_kernel(kernel, kernel);
  return vertical ? p.top + p.bottom : p.left + p.right;
}

void check_output(const ConvProblem& problem, const Shape& grad_output, const char* other,
                  const Shape& other_shape) {
  if (problem.out_height() == side(grad_output, 2) && problem.out_width() == side(grad_output, 3))
    return;
  refuse("--grad-output of shape " + shape_text(grad_output) + " does not fit " + other +
         " of shape " + shape_text(other_shape) + ": " + problem.describe() + " gives maps of " +
         std::to_string(problem.out_height()) + "x" + std::to_string(problem.out_width()));
}

void infer_input_size(const ConvShapes& shapes, ConvProblem& problem) {
  if (shapes.input_size) {
    std::tie(problem.in_height, problem.in_width) = *shapes.input_size;
    return;
  }
  const auto infer = [&](int kernel, int stride, int out, bool vertical) {
    const int padding = padding_sum(shapes.padding, kernel, vertical);
    const int least = (out - 1) * stride + kernel - padding;
    return only_size(
        least, least + stride - 1, out,
        [&](int size) {
          return Extent{size, kernel, padding, stride};
        },
        vertical ? "height" : "width", "--input-size");
  };
  problem.in_height =
      infer(problem.kernel_height, problem.stride_height, side(*shapes.grad_output, 2), true);
  problem.in_width =
      infer(problem.kernel_width, problem.stride_width, side(*shapes.grad_output, 3), false);
}

void infer_kernel_size(const ConvShapes& shapes, ConvProblem& problem) {
  if (shapes.kernel_size) {
    std::tie(problem.kernel_height, problem.kernel_width) = *shapes.kernel_size;
    return;
  }
  const auto infer = [&](int in, int stride, int out, bool vertical) {
    // "same" padding grows with the kernel; any other is the same for all.
    const int most = shapes.padding.is_same() ? in : in + padding_sum(shapes.padding, 1, vertical);
    return only_size(
        1, most, out,
        [&](int size) {
          return Extent{in, size, padding_sum(shapes.padding, size, vertical), stride};
        },
        vertical ? "height" : "width", "--kernel-size");
  };
  problem.kernel_height =
      infer(problem.in_height, problem.stride_height, side(*shapes.grad_output, 2), true);
  problem.kernel_width =
      infer(problem.in_width, problem.stride_width, side(*shapes.grad_output, 3), false);
}

void check_channels(const char* a, const Shape& a_shape, int a_axis, const char* b,
                    const Shape& b_shape, int b_axis, const char* what) {
  if (side(a_shape, a_axis) != side(b_shape, b_axis))
    refuse(std::string(a) + " of shape " + shape_text(a_shape) + " does not fit " + b +
           " of shape " + shape_text(b_shape) + ": " + std::to_string(side(a_shape, a_axis)) +
           " against " + std::to_string(side(b_shape, b_axis)) + " " + what);
}

}  // namespace

ConvProblem conv_problem_of(const ConvShapes& shapes) {
  require_four("--input", shapes.input, "[batch, channels, height, width]");
  require_four("--weight", shapes.weight, "[out, in, kernel height, kernel width]");
  require_four("--grad-output", shapes.grad_output, "[batch, kernels, height, width]");
  ConvProblem problem;
  std::tie(problem.stride_height, problem.stride_width) = shapes.stride;
  if (shapes.input) {
    problem.batch = side(*shapes.input, 0);
    problem.in_channels = side(*shapes.input, 1);
    problem.in_height = side(*shapes.input, 2);
    problem.in_width = side(*shapes.input, 3);
  } else {
    problem.batch = side(*shapes.grad_output, 0);
  }
  if (shapes.weight) {
    problem.out_channels = side(*shapes.weight, 0);
    problem.in_channels = side(*shapes.weight, 1);
    problem.kernel_height = side(*shapes.weight, 2);
    problem.kernel_width = side(*shapes.weight, 3);
  } else {
    problem.out_channels = side(*shapes.grad_output, 1);
  }
  switch (shapes.pass) {
    case Pass::kForward:
      check_channels("--input", *shapes.input, 1, "--weight", *shapes.weight, 1, "channels");
      break;
    case Pass::kBackwardData:
      check_channels("--grad-output", *shapes.grad_output, 1, "--weight", *shapes.weight, 0,
                     "kernels");
      infer_input_size(shapes, problem);
      break;
    case Pass::kBackwardWeights:
      check_channels("--grad-output", *shapes.grad_output, 0, "--input", *shapes.input, 0,
                     "pictures");
      infer_kernel_size(shapes, problem);
      break;
  }
  problem.padding = shapes.padding.of_kernel(problem.kernel_height, problem.kernel_width);
  problem.validate();
  if (shapes.pass == Pass::kBackwardData)
    check_output(problem, *shapes.grad_output, "--weight", *shapes.weight);
  if (shapes.pass == Pass::kBackwardWeights)
    check_output(problem, *shapes.grad_output, "--input", *shapes.input);
  return problem;
}

}  // namespace convoy::cli
