// Whether unfolding and folding are right on a device.

#include <algorithm>

#include "engine/device/opencl_conv_check.h"
#include "engine/device/opencl_im2col_conv.h"

namespace convoy {
namespace {

// Rows or columns of maps that have output positions at both edges and between them.
int shortened(int size, int kernel, int stride) {
  constexpr int kPositions = 4;
  return std::min(size, kernel + kPositions * stride);
}

}  // namespace

std::string checked_im2col(const std::string& product, const ConvProblem& problem,
                           const OpenClLimits& limits,
                           const std::shared_ptr<OpenClContext>& context) {
  // Programs are made for so many pictures of a work item; the rest are arguments.
  const int lanes = OpenClIm2colConv::lanes_of(*context, problem);
  ConvProblem small = problem.with_batch(std::min(problem.batch, lanes + 2)).with_kernels(2);
  small.in_channels = 2;
  small.in_height = shortened(problem.in_height, problem.kernel_height, problem.stride_height);
  small.in_width = shortened(problem.in_width, problem.kernel_width, problem.stride_width);
  OpenClLimits plenty = limits;
  plenty.total = context->entry().info.memory_bytes / 4;
  // Columns come in pieces, as most layers' do.
  const int positions = small.out_height() * small.out_width();
  plenty.piece_columns = (positions + 2) / 3 * small.batch;
  return checked_conv("im2col " + geometry_text(small), "im2col.cl", 0.0, *context, [&] {
    return std::make_unique<OpenClIm2colConv>(context, small, product, plenty);
  });
}

}  // namespace convoy
