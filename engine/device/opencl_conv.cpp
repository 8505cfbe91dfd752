#include "engine/device/opencl_conv.h"

#include <algorithm>

namespace convoy {
namespace {

const char* operand_name(Operand operand) {
  switch (operand) {
    case Operand::kInput:
      return "input";
    case Operand::kWeight:
      return "weight";
    case Operand::kGradOutput:
      break;
  }
  return "grad_output";
}

// Nothing that was queued may touch the host's memory after a pass has returned or thrown.
class FinishOnExit {
 public:
  explicit FinishOnExit(cl_command_queue queue) : queue_(queue) {}
  FinishOnExit(const FinishOnExit&) = delete;
  FinishOnExit& operator=(const FinishOnExit&) = delete;
  ~FinishOnExit() { clFinish(queue_); }

 private:
  cl_command_queue queue_;
};

// Calls work(first, count) for each block of [0, total).
template <class Work>
void for_blocks(int total, int block, const Work& work) {
  for (int first = 0; first < total; first += block) work(first, std::min(block, total - first));
}

}  // namespace

OpenClConv::OpenClConv(std::shared_ptr<OpenClContext> context, const ConvProblem& problem,
                       const std::string& product, const OpenClLimits& limits, ChosenBy chosen_by)
    : context_(std::move(context)),
      problem_(problem),
      limits_(limits),
      chosen_by_(chosen_by),
      queue_(context_->make_queue()),
      product_(make_product(product, *context_, queue_.get())) {
  // A work item of a CPU copies runs of the batch; not of more pictures than there are.
  if (context_->entry().info.kind == DeviceKind::kCpu)
    while (lanes_ < 64 && lanes_ < problem_.batch) lanes_ *= 2;
  const std::string options = "-DLANES=" + std::to_string(lanes_);
  im2col_ = context_->make_kernel("im2col.cl", options, "im2col");
  col2im_ = context_->make_kernel("im2col.cl", options, "col2im");
  plan();
}

OpenClConv::~OpenClConv() = default;

void OpenClConv::plan() {
  blocks_ = plan_blocks(
      problem_, limits_, [&](const ProductSize& size) { return product_->scratch_bytes(size); },
      context_->id());
}

void OpenClConv::set_operand(Operand which, const float* host) {
  OperandCopy& set = operand(which);
  set.host = host;
  set.in_place.reset();
  set.valid = false;
}

std::string OpenClConv::algorithm(Pass) const {
  return std::string("im2col+") + product_->name();
}

double OpenClConv::executed_flops(Pass pass) const {
  const int positions = problem_.out_height() * problem_.out_width();
  double flops = 0.0;
  for_blocks(problem_.batch, blocks_.batch, [&](int, int batch) {
    for_blocks(problem_.out_channels, blocks_.kernels, [&](int, int kernels) {
      for_blocks(positions, blocks_.positions, [&](int, int count) {
        flops += product_->executed_flops(product_size(problem_, pass, {batch, kernels, count}));
      });
    });
  });
  return flops;
}

std::size_t OpenClConv::scratch_bytes() const {
  return memory_of(problem_, blocks_, limits_.in_place,
                   [&](const ProductSize& size) { return product_->scratch_bytes(size); })
      .scratch;
}

std::span<const Operand> OpenClConv::operands_of(Pass pass) {
  static constexpr Operand kForward[] = {Operand::kInput, Operand::kWeight};
  static constexpr Operand kBackwardData[] = {Operand::kGradOutput, Operand::kWeight};
  static constexpr Operand kBackwardWeights[] = {Operand::kInput, Operand::kGradOutput};
  switch (pass) {
    case Pass::kForward:
      return kForward;
    case Pass::kBackwardData:
      return kBackwardData;
    case Pass::kBackwardWeights:
      break;
  }
  return kBackwardWeights;
}

void OpenClConv::run(Pass pass, float* result, const StopToken* stop) {
  for (const Operand needed : operands_of(pass))
    if (!operand(needed).host)
      throw Error(ErrorKind::kDevice, context_->id(),
                  std::string(pass_name(pass)) + " needs " + operand_name(needed) +
                      ", which has not been set");
  for (;;) {
    try {
      run_pieces(pass, result, stop);
      return;
    } catch (const OutOfDeviceMemory& reason) {
      use_less_memory(reason);
    }
  }
}

void OpenClConv::run_pieces(Pass pass, float* result, const StopToken* stop) {
  // The order of these two matters: the queue is finished before a buffer in place is dropped.
  struct DropInPlace {
    ClBuffer& buffer;
    ~DropInPlace() { buffer.reset(); }
  } drop_in_place{result_in_place_};
  const FinishOnExit finish(queue_.get());
  piece_under_way_.reset();
  if (stop) stop->throw_if_stopped();
  switch (pass) {
    case Pass::kForward:
      return forward(result, stop);
    case Pass::kBackwardData:
      return backward_data(result, stop);
    case Pass::kBackwardWeights:
      return backward_weights(result, stop);
  }
}

void OpenClConv::forward(float* output, const StopToken* stop) {
  const int positions = problem_.out_height() * problem_.out_width();
  for_blocks(problem_.batch, blocks_.batch, [&](int first_picture, int pictures) {
    const Range batch{first_picture, pictures};
    const cl_mem input = on_device(Operand::kInput, input_part(batch));
    for_blocks(problem_.out_channels, blocks_.kernels, [&](int first_kernel, int kernels) {
      const Range kernel_range{first_kernel, kernels};
      const cl_mem weight = on_device(Operand::kWeight, weight_part(kernel_range));
      const Part part = output_part(batch, kernel_range);
      const cl_mem result = result_on_device(output, part);
      for_blocks(positions, blocks_.positions, [&](int first, int count) {
        const Range piece{first, count};
        unfold(input, batch, piece);
        product_->multiply(product_size(problem_, Pass::kForward, {pictures, kernels, count}),
                           {weight, 0, problem_.kernel_elements(), false},
                           columns_view(batch, piece), output_view(result, batch, piece), false,
                           first > 0);
        end_piece(stop);
      });
      fetch_result(output, part);
    });
  });
}

void OpenClConv::backward_data(float* grad_input, const StopToken* stop) {
  const int positions = problem_.out_height() * problem_.out_width();
  for_blocks(problem_.batch, blocks_.batch, [&](int first_picture, int pictures) {
    const Range batch{first_picture, pictures};
    const Part part = input_part(batch);
    const cl_mem result = result_on_device(grad_input, part);
    const cl_float zero = 0.0f;
    cl_check(clEnqueueFillBuffer(queue_.get(), result, &zero, sizeof zero, 0, part.bytes(), 0,
                                 nullptr, nullptr),
             "clEnqueueFillBuffer", context_->id());
    for_blocks(problem_.out_channels, blocks_.kernels, [&](int first_kernel, int kernels) {
      const Range kernel_range{first_kernel, kernels};
      const cl_mem weight = on_device(Operand::kWeight, weight_part(kernel_range));
      const cl_mem grad_output = on_device(Operand::kGradOutput, output_part(batch, kernel_range));
      for_blocks(positions, blocks_.positions, [&](int first, int count) {
        const Range piece{first, count};
        product_->multiply(product_size(problem_, Pass::kBackwardData, {pictures, kernels, count}),
                           {weight, 0, problem_.kernel_elements(), true},
                           output_view(grad_output, batch, piece), columns_view(batch, piece),
                           false, first > 0);
        fold(result, batch, piece);
        end_piece(stop);
      });
    });
    fetch_result(grad_input, part);
  });
}

void OpenClConv::backward_weights(float* grad_weight, const StopToken* stop) {
  const int positions = problem_.out_height() * problem_.out_width();
  for_blocks(problem_.out_channels, blocks_.kernels, [&](int first_kernel, int kernels) {
    const Range kernel_range{first_kernel, kernels};
    const Part part = weight_part(kernel_range);
    const cl_mem result = result_on_device(grad_weight, part);
    for_blocks(problem_.batch, blocks_.batch, [&](int first_picture, int pictures) {
      const Range batch{first_picture, pictures};
      const cl_mem input = on_device(Operand::kInput, input_part(batch));
      const cl_mem grad_output = on_device(Operand::kGradOutput, output_part(batch, kernel_range));
      for_blocks(positions, blocks_.positions, [&](int first, int count) {
        const Range piece{first, count};
        unfold(input, batch, piece);
        MatrixView columns = columns_view(batch, piece);
        columns.transposed = true;
        product_->multiply(
            product_size(problem_, Pass::kBackwardWeights, {pictures, kernels, count}),
            output_view(grad_output, batch, piece), columns,
            {result, 0, problem_.kernel_elements(), false}, first_picture > 0 || first > 0, false);
        end_piece(stop);
      });
    });
    fetch_result(grad_weight, part);
  });
}

OpenClConv::Part OpenClConv::input_part(const Range& pictures) const {
  Part part;
  part.rows = problem_.input_size() / problem_.batch;
  part.first_column = pictures.first;
  part.columns = pictures.count;
  part.width = problem_.batch;
  part.whole = pictures.count == problem_.batch;
  return part;
}

OpenClConv::Part OpenClConv::weight_part(const Range& kernels) const {
  Part part;
  part.first_row = kernels.first;
  part.rows = kernels.count;
  part.columns = part.width = problem_.kernel_elements();
  part.whole = kernels.count == problem_.out_channels;
  return part;
}

OpenClConv::Part OpenClConv::output_part(const Range& pictures, const Range& kernels) const {
  const std::size_t positions =
      static_cast<std::size_t>(problem_.out_height()) * problem_.out_width();
  Part part;
  part.first_row = kernels.first * positions;
  part.rows = kernels.count * positions;
  part.first_column = pictures.first;
  part.columns = pictures.count;
  part.width = problem_.batch;
  part.whole = pictures.count == problem_.batch && kernels.count == problem_.out_channels;
  return part;
}

cl_mem OpenClConv::on_device(Operand which, const Part& part) {
  OperandCopy& held = operand(which);
  if (held.valid && held.part == part)
    return held.in_place ? held.in_place.get() : held.copy.reserve(*context_, part.bytes());
  held.valid = false;
  cl_mem buffer = nullptr;
  if (limits_.in_place && part.whole) {
    held.in_place = context_->wrap_host(const_cast<float*>(held.host), part.bytes());
    buffer = held.in_place.get();
  } else {
    buffer = held.copy.reserve(*context_, part.bytes());
    if (part.columns == part.width) {
      cl_check(clEnqueueWriteBuffer(queue_.get(), buffer, CL_FALSE, 0, part.bytes(),
                                    held.host + part.first_row * part.width, 0, nullptr, nullptr),
               "clEnqueueWriteBuffer", context_->id());
    } else {
      const std::size_t device_origin[3] = {0, 0, 0};
      const std::size_t host_origin[3] = {part.first_column * sizeof(float), part.first_row, 0};
      const std::size_t region[3] = {part.columns * sizeof(float), part.rows, 1};
      cl_check(
          clEnqueueWriteBufferRect(queue_.get(), buffer, CL_FALSE, device_origin, host_origin,
                                   region, part.columns * sizeof(float), 0,
                                   part.width * sizeof(float), 0, held.host, 0, nullptr, nullptr),
          "clEnqueueWriteBufferRect", context_->id());
    }
  }
  held.part = part;
  held.valid = true;
  return buffer;
}

cl_mem OpenClConv::result_on_device(float* host, const Part& part) {
  if (!limits_.in_place || !part.whole) return result_.reserve(*context_, part.bytes());
  result_in_place_ = context_->wrap_host(host, part.bytes());
  return result_in_place_.get();
}

void OpenClConv::fetch_result(float* host, const Part& part) {
  if (limits_.in_place && part.whole) {
    // Mapping is what makes the host see what the device wrote.
    cl_int code = CL_SUCCESS;
    void* mapped = clEnqueueMapBuffer(queue_.get(), result_in_place_.get(), CL_TRUE, CL_MAP_READ, 0,
                                      part.bytes(), 0, nullptr, nullptr, &code);
    cl_check(code, "clEnqueueMapBuffer", context_->id());
    cl_check(
        clEnqueueUnmapMemObject(queue_.get(), result_in_place_.get(), mapped, 0, nullptr, nullptr),
        "clEnqueueUnmapMemObject", context_->id());
    return;
  }
  const cl_mem buffer = result_.reserve(*context_, part.bytes());
  if (part.columns == part.width) {
    cl_check(clEnqueueReadBuffer(queue_.get(), buffer, CL_TRUE, 0, part.bytes(),
                                 host + part.first_row * part.width, 0, nullptr, nullptr),
             "clEnqueueReadBuffer", context_->id());
  } else {
    const std::size_t device_origin[3] = {0, 0, 0};
    const std::size_t host_origin[3] = {part.first_column * sizeof(float), part.first_row, 0};
    const std::size_t region[3] = {part.columns * sizeof(float), part.rows, 1};
    cl_check(clEnqueueReadBufferRect(queue_.get(), buffer, CL_TRUE, device_origin, host_origin,
                                     region, part.columns * sizeof(float), 0,
                                     part.width * sizeof(float), 0, host, 0, nullptr, nullptr),
             "clEnqueueReadBufferRect", context_->id());
  }
}

void OpenClConv::unfold(cl_mem input, const Range& pictures, const Range& positions) {
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

void OpenClConv::fold(cl_mem grad_input, const Range& pictures, const Range& positions) {
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

MatrixView OpenClConv::columns_view(const Range& pictures, const Range& positions) {
  const std::size_t columns = static_cast<std::size_t>(positions.count) * pictures.count;
  return {columns_.reserve(*context_, columns * problem_.kernel_elements() * sizeof(float)), 0,
          columns, false};
}

MatrixView OpenClConv::output_view(cl_mem output, const Range& pictures,
                                   const Range& positions) const {
  const std::size_t row =
      static_cast<std::size_t>(problem_.out_height()) * problem_.out_width() * pictures.count;
  return {output, static_cast<std::size_t>(positions.first) * pictures.count, row, false};
}

void OpenClConv::end_piece(const StopToken* stop) {
  cl_event event = nullptr;
  cl_check(clEnqueueMarkerWithWaitList(queue_.get(), 0, nullptr, &event),
           "clEnqueueMarkerWithWaitList", context_->id());
  ClEvent ended(event);
  cl_check(clFlush(queue_.get()), "clFlush", context_->id());
  if (piece_under_way_) {
    const cl_event before = piece_under_way_.get();
    cl_check(clWaitForEvents(1, &before), "clWaitForEvents", context_->id());
  }
  piece_under_way_ = std::move(ended);
  if (stop) stop->throw_if_stopped();
}

void OpenClConv::use_less_memory(const OutOfDeviceMemory& reason) {
  const OpenClMemory used =
      memory_of(problem_, blocks_, limits_.in_place,
                [&](const ProductSize& size) { return product_->scratch_bytes(size); });
  columns_.release();
  result_.release();
  product_->release();
  for (OperandCopy& held : operands_) {
    held.copy.release();
    held.in_place.reset();
    held.valid = false;
  }
  limits_.total = std::min(limits_.total, used.total) / 2;
  try {
    plan();
  } catch (const Error& error) {
    throw Error(ErrorKind::kDevice, "",
                std::string(reason.what()) + ", and smaller pieces do not help: " + error.what());
  }
}

}  // namespace convoy
