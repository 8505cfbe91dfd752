#include "engine/device/opencl_transfer.h"

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

// Some columns of some rows, as OpenCL's transfers of rectangles want it: in bytes, dense in the
// device's buffer.
struct Rectangle {
  explicit Rectangle(const HostPart& part)
      : device_origin{0, part.device_offset / part.columns, 0},
        host_origin{part.first_column * sizeof(float), part.first_row, 0},
        region{part.columns * sizeof(float), part.rows, 1},
        device_row(part.columns * sizeof(float)),
        host_row(part.width * sizeof(float)) {}

  const std::size_t device_origin[3], host_origin[3], region[3];
  const std::size_t device_row, host_row;  // from one row to the next
};

// Of maps of so many positions.
HostPart maps_part(const ConvProblem& problem, std::size_t positions, const OpenClBlock& pictures,
                   const OpenClBlock& kernels) {
  HostPart part;
  part.first_row = kernels.first * positions;
  part.rows = kernels.count * positions;
  part.first_column = pictures.first;
  part.columns = pictures.count;
  part.width = problem.batch;
  part.whole = pictures.count == problem.batch && kernels.count == problem.out_channels;
  return part;
}

}  // namespace

HostPart input_part(const ConvProblem& problem, const OpenClBlock& pictures) {
  HostPart part;
  part.rows = problem.input_size() / problem.batch;
  part.first_column = pictures.first;
  part.columns = pictures.count;
  part.width = problem.batch;
  part.whole = pictures.count == problem.batch;
  return part;
}

HostPart weight_part(const ConvProblem& problem, const OpenClBlock& kernels) {
  HostPart part;
  part.first_row = kernels.first;
  part.rows = kernels.count;
  part.columns = part.width = problem.kernel_elements();
  part.whole = kernels.count == problem.out_channels;
  return part;
}

HostPart output_part(const ConvProblem& problem, const OpenClBlock& pictures,
                     const OpenClBlock& kernels) {
  return maps_part(problem, static_cast<std::size_t>(problem.out_height()) * problem.out_width(),
                   pictures, kernels);
}

HostPart pooled_part(const ConvProblem& problem, const OpenClBlock& pictures,
                     const OpenClBlock& kernels) {
  return maps_part(problem,
                   static_cast<std::size_t>(problem.out_height() / 2) * (problem.out_width() / 2),
                   pictures, kernels);
}

HostPart bias_part(const ConvProblem& problem) {
  HostPart part;
  part.rows = 1;
  part.columns = part.width = problem.out_channels;
  part.whole = true;
  return part;
}

HostPart rows_of_part(const HostPart& part, const OpenClBlock& some, int groups) {
  const std::size_t rows = part.rows / groups;
  HostPart piece = part;
  piece.first_row += some.first * rows;
  piece.rows = some.count * rows;
  piece.whole = part.whole && some.count == groups;
  piece.device_offset += some.first * rows * part.columns;
  return piece;
}

void write_part(const OpenClContext& context, cl_command_queue queue, cl_mem buffer,
                const float* host, const HostPart& part) {
  if (part.columns == part.width) {
    cl_check(
        clEnqueueWriteBuffer(queue, buffer, CL_FALSE, part.device_offset * sizeof(float),
                             part.bytes(), host + part.first_row * part.width, 0, nullptr, nullptr),
        "clEnqueueWriteBuffer", context.id());
    return;
  }
  const Rectangle at(part);
  cl_check(
      clEnqueueWriteBufferRect(queue, buffer, CL_FALSE, at.device_origin, at.host_origin, at.region,
                               at.device_row, 0, at.host_row, 0, host, 0, nullptr, nullptr),
      "clEnqueueWriteBufferRect", context.id());
}

void read_part(const OpenClContext& context, cl_command_queue queue, cl_mem buffer, float* host,
               const HostPart& part) {
  if (part.columns == part.width) {
    cl_check(
        clEnqueueReadBuffer(queue, buffer, CL_TRUE, part.device_offset * sizeof(float),
                            part.bytes(), host + part.first_row * part.width, 0, nullptr, nullptr),
        "clEnqueueReadBuffer", context.id());
    return;
  }
  const Rectangle at(part);
  cl_check(
      clEnqueueReadBufferRect(queue, buffer, CL_TRUE, at.device_origin, at.host_origin, at.region,
                              at.device_row, 0, at.host_row, 0, host, 0, nullptr, nullptr),
      "clEnqueueReadBufferRect", context.id());
}

void read_in_place(const OpenClContext& context, cl_command_queue queue, cl_mem buffer,
                   std::size_t bytes) {
  // Mapping is what makes the host see what the device wrote.
  cl_int code = CL_SUCCESS;
  void* mapped =
      clEnqueueMapBuffer(queue, buffer, CL_TRUE, CL_MAP_READ, 0, bytes, 0, nullptr, nullptr, &code);
  cl_check(code, "clEnqueueMapBuffer", context.id());
  cl_check(clEnqueueUnmapMemObject(queue, buffer, mapped, 0, nullptr, nullptr),
           "clEnqueueUnmapMemObject", context.id());
}

void require_operands(Pass pass, const float* const (&hosts)[3], const std::string& where) {
  for (const Operand needed : kAllOperands)
    if (reads(pass, needed) && !hosts[static_cast<int>(needed)])
      throw Error(ErrorKind::kDevice, where,
                  std::string(pass_name(pass)) + " needs " + operand_name(needed) +
                      ", which has not been set");
}

}  // namespace convoy
