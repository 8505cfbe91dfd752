#include "engine/device/opencl_im2col_conv.h"

#include <algorithm>

namespace convoy {

OpenClIm2colConv::OpenClIm2colConv(std::shared_ptr<OpenClContext> context,
                                   const ConvProblem& problem, const std::string& product,
                                   const OpenClLimits& limits, ChosenBy chosen_by,
                                   std::shared_ptr<OpenClPooling> pooling)
    : OpenClConv("im2col", std::move(context), problem, product, limits, chosen_by,
                 std::move(pooling)),
      lanes_(lanes_of(*context_, problem_)) {
  const std::string options = "-DLANES=" + std::to_string(lanes_);
  im2col_ = context_->make_kernel("im2col.cl", options, "im2col");
  col2im_ = context_->make_kernel("im2col.cl", options, "col2im");
  plan();
}

OpenClIm2colConv::~OpenClIm2colConv() = default;

int OpenClIm2colConv::lanes_of(const OpenClContext& context, const ConvProblem& problem) {
  int lanes = 1;
  // A work item of a CPU copies runs of the batch; not of more pictures than there are.
  if (context.entry().info.kind == DeviceKind::kCpu)
    while (lanes < 64 && lanes < problem.batch) lanes *= 2;
  return lanes;
}

void OpenClIm2colConv::plan() {
  blocks_ = plan_blocks(problem_, limits_, product_scratch(), context_->id());
}

OpenClMemory OpenClIm2colConv::memory() const {
  return memory_of(problem_, blocks_, limits_, product_scratch());
}

void OpenClIm2colConv::forget(Operand which) {
  operand(which).in_place.reset();
  operand(which).valid = false;
}

void OpenClIm2colConv::release() {
  columns_.release();
  results_.release();
  pooled_.release();
  for (OperandCopy& held : operands_) held.copies.release();
}

double OpenClIm2colConv::executed_flops(Pass pass) const {
  const int positions = problem_.out_height() * problem_.out_width();
  double flops = 0.0;
  for_blocks(problem_.batch, blocks_.batch, [&](const OpenClBlock& pictures) {
    for_blocks(problem_.out_channels, blocks_.kernels, [&](const OpenClBlock& kernels) {
      for_blocks(positions, blocks_.positions, [&](const OpenClBlock& piece) {
        flops += product_->executed_flops(
            product_size(problem_, pass, {pictures.count, kernels.count, piece.count}));
      });
    });
  });
  return flops;
}

void OpenClIm2colConv::run_pieces(Pass pass, const OpenClBlock& pictures, float* result,
                                  OpenClRunningPass& running) {
  switch (pass) {
    case Pass::kForward:
      return forward(pictures, result, running);
    case Pass::kBackwardData:
      return backward_data(pictures, result, running);
    case Pass::kBackwardWeights:
      return backward_weights(result, running);
  }
}

void OpenClIm2colConv::forward(const OpenClBlock& all, float* output, OpenClRunningPass& running) {
  const int positions = problem_.out_height() * problem_.out_width();
  for_blocks(all, blocks_.batch, [&](const OpenClBlock& pictures) {
    const cl_mem input = on_device(Operand::kInput, input_part(problem_, pictures), running);
    for_blocks(problem_.out_channels, blocks_.kernels, [&](const OpenClBlock& kernels) {
      const cl_mem weight = on_device(Operand::kWeight, weight_part(problem_, kernels), running);
      const HostPart part = part_of_maps(pictures, kernels);
      const HostPart maps = output_part(problem_, pictures, kernels);
      const cl_mem result = pools() ? results_.get().reserve(*context_, maps.bytes())
                                    : result_on_device(results_, output, part, running);
      for_blocks(positions, blocks_.positions, [&](const OpenClBlock& piece) {
        unfold(input, pictures, piece);
        product_->multiply(
            product_size(problem_, Pass::kForward, {pictures.count, kernels.count, piece.count}),
            {weight, 0, problem_.kernel_elements(), false}, columns_view(pictures, piece),
            output_view(result, pictures, piece), false, piece.first > 0);
        running.end_piece();
      });
      if (!pools()) return fetch_result(result, output, part, running);
      const cl_mem pooled = result_on_device(pooled_, output, part, running);
      pool(result, pooled, pictures, kernels, {0, kernels.count});
      fetch_result(pooled, output, part, running);
    });
  });
}

// Positions are cut as in a pass of all pictures: it is the order in which columns are added up.
void OpenClIm2colConv::backward_data(const OpenClBlock& all, float* grad_input,
                                     OpenClRunningPass& running) {
  const int positions = problem_.out_height() * problem_.out_width();
  for_blocks(all, blocks_.batch, [&](const OpenClBlock& pictures) {
    const HostPart part = input_part(problem_, pictures);
    const cl_mem result = result_on_device(results_, grad_input, part, running);
    const cl_float zero = 0.0f;
    cl_check(clEnqueueFillBuffer(queue_.get(), result, &zero, sizeof zero, 0, part.bytes(), 0,
                                 nullptr, nullptr),
             "clEnqueueFillBuffer", context_->id());
    for_blocks(problem_.out_channels, blocks_.kernels, [&](const OpenClBlock& kernels) {
      const cl_mem weight = on_device(Operand::kWeight, weight_part(problem_, kernels), running);
      const cl_mem grad_output = grad_output_on_device(pictures, kernels, running);
      for_blocks(positions, blocks_.positions, [&](const OpenClBlock& piece) {
        product_->multiply(product_size(problem_, Pass::kBackwardData,
                                        {pictures.count, kernels.count, piece.count}),
                           {weight, 0, problem_.kernel_elements(), true},
                           output_view(grad_output, pictures, piece), columns_view(pictures, piece),
                           false, piece.first > 0);
        fold(result, pictures, piece);
        running.end_piece();
      });
    });
    fetch_result(result, grad_input, part, running);
  });
}

void OpenClIm2colConv::backward_weights(float* grad_weight, OpenClRunningPass& running) {
  const int positions = problem_.out_height() * problem_.out_width();
  for_blocks(problem_.out_channels, blocks_.kernels, [&](const OpenClBlock& kernels) {
    const HostPart part = weight_part(problem_, kernels);
    const cl_mem result = result_on_device(results_, grad_weight, part, running);
    for_blocks(problem_.batch, blocks_.batch, [&](const OpenClBlock& pictures) {
      const cl_mem input = on_device(Operand::kInput, input_part(problem_, pictures), running);
      const cl_mem grad_output = grad_output_on_device(pictures, kernels, running);
      for_blocks(positions, blocks_.positions, [&](const OpenClBlock& piece) {
        unfold(input, pictures, piece);
        MatrixView columns = columns_view(pictures, piece);
        columns.transposed = true;
        product_->multiply(product_size(problem_, Pass::kBackwardWeights,
                                        {pictures.count, kernels.count, piece.count}),
                           output_view(grad_output, pictures, piece), columns,
                           {result, 0, problem_.kernel_elements(), false},
                           pictures.first > 0 || piece.first > 0, false);
        running.end_piece();
      });
    });
    fetch_result(result, grad_weight, part, running);
  });
}

cl_mem OpenClIm2colConv::upload(Copies& copies, const float* host, const HostPart& part,
                                OpenClRunningPass& running) {
  if (alternates(part.whole, limits_)) {
    // All that reads the block before has been queued.
    if (const cl_mem before = copies.get().get()) running.set_unused(before);
    copies.current ^= 1;
  }
  const cl_mem buffer = copies.get().reserve(*context_, part.bytes());
  running.upload(buffer, host, part);
  return buffer;
}

cl_mem OpenClIm2colConv::on_device(Operand which, const HostPart& part,
                                   OpenClRunningPass& running) {
  OperandCopy& held = operand(which);
  if (held.valid && held.part == part)
    return held.in_place ? held.in_place.get() : held.copies.get().get();
  held.valid = false;
  cl_mem buffer = nullptr;
  if (limits_.in_place && part.whole) {
    held.in_place = context_->wrap_host(const_cast<float*>(host(which)), part.bytes());
    buffer = held.in_place.get();
  } else {
    held.in_place.reset();
    buffer = upload(held.copies, host(which), part, running);
  }
  held.part = part;
  held.valid = true;
  return buffer;
}

cl_mem OpenClIm2colConv::grad_output_on_device(const OpenClBlock& pictures,
                                               const OpenClBlock& kernels,
                                               OpenClRunningPass& running) {
  const HostPart part = part_of_maps(pictures, kernels);
  if (!pools()) return on_device(Operand::kGradOutput, part, running);
  OperandCopy& held = operand(Operand::kGradOutput);
  if (held.valid && held.part == part) return held.copies.get().get();
  held.valid = false;
  const cl_mem maps =
      held.copies.get().reserve(*context_, output_part(problem_, pictures, kernels).bytes());
  float* const gradient = const_cast<float*>(host(Operand::kGradOutput));
  const cl_mem pooled = limits_.in_place && part.whole ? wrap_for_this_pass(gradient, part.bytes())
                                                       : upload(pooled_, gradient, part, running);
  unpool(pooled, maps, pictures, kernels, {0, kernels.count});
  held.part = part;
  held.valid = true;
  return maps;
}

cl_mem OpenClIm2colConv::result_on_device(Copies& copies, float* host, const HostPart& part,
                                          OpenClRunningPass& running) {
  if (limits_.in_place && part.whole) return wrap_for_this_pass(host, part.bytes());
  if (alternates(part.whole, limits_)) copies.current ^= 1;
  const cl_mem buffer = copies.get().reserve(*context_, part.bytes());
  running.finish_downloads(buffer);
  return buffer;
}

void OpenClIm2colConv::fetch_result(cl_mem result, float* host, const HostPart& part,
                                    OpenClRunningPass& running) {
  if (limits_.in_place && part.whole)
    read_in_place(*context_, queue_.get(), result, part.bytes());
  else
    running.download(result, host, part);
}

void OpenClIm2colConv::unfold(cl_mem input, const OpenClBlock& pictures,
                              const OpenClBlock& positions) {
  const std::size_t columns = static_cast<std::size_t>(positions.count) * pictures.count;
  const std::size_t lanes = lanes_;
  launch(
      *context_, queue_.get(), im2col_,
      {(pictures.count + lanes - 1) / lanes, static_cast<std::size_t>(positions.count),
       problem_.kernel_elements()},
      {}, input, columns_.reserve(*context_, columns * problem_.kernel_elements() * sizeof(float)),
      cl_int{pictures.count}, cl_int{problem_.in_height}, cl_int{problem_.in_width},
      cl_int{problem_.kernel_height}, cl_int{problem_.kernel_width}, cl_int{problem_.stride_height},
      cl_int{problem_.stride_width}, cl_int{problem_.padding.top}, cl_int{problem_.padding.left},
      cl_int{problem_.out_width()}, cl_int{positions.first}, cl_ulong{columns});
}

void OpenClIm2colConv::fold(cl_mem grad_input, const OpenClBlock& pictures,
                            const OpenClBlock& positions) {
  // Only the rows of the maps that these output positions have seen.
  const int out_width = problem_.out_width();
  const int first_out = positions.first / out_width;
  const int last_out = (positions.first + positions.count - 1) / out_width;
  const int first = std::max(first_out * problem_.stride_height - problem_.padding.top, 0);
  const int end =
      std::min(last_out * problem_.stride_height - problem_.padding.top + problem_.kernel_height,
               problem_.in_height);
  if (end <= first) return;  // they lie in the padding
  const std::size_t columns = static_cast<std::size_t>(positions.count) * pictures.count;
  const std::size_t lanes = lanes_;
  launch(*context_, queue_.get(), col2im_,
         {(pictures.count + lanes - 1) / lanes, static_cast<std::size_t>(problem_.in_width),
          static_cast<std::size_t>(problem_.in_channels) * (end - first)},
         {}, columns_view(pictures, positions).buffer, grad_input, cl_int{pictures.count},
         cl_int{problem_.in_height}, cl_int{problem_.in_width}, cl_int{problem_.kernel_height},
         cl_int{problem_.kernel_width}, cl_int{problem_.stride_height},
         cl_int{problem_.stride_width}, cl_int{problem_.padding.top}, cl_int{problem_.padding.left},
         cl_int{problem_.out_height()}, cl_int{out_width}, cl_int{positions.first},
         cl_int{positions.count}, cl_ulong{columns}, cl_int{first}, cl_int{end - first});
}

MatrixView OpenClIm2colConv::columns_view(const OpenClBlock& pictures,
                                          const OpenClBlock& positions) {
  const std::size_t columns = static_cast<std::size_t>(positions.count) * pictures.count;
  return {columns_.reserve(*context_, columns * problem_.kernel_elements() * sizeof(float)), 0,
          columns, false};
}

MatrixView OpenClIm2colConv::output_view(cl_mem output, const OpenClBlock& pictures,
                                         const OpenClBlock& positions) const {
  const std::size_t row =
      static_cast<std::size_t>(problem_.out_height()) * problem_.out_width() * pictures.count;
  return {output, static_cast<std::size_t>(positions.first) * pictures.count, row, false};
}

}  // namespace convoy
