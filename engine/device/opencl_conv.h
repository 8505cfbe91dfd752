// One layer's share on an OpenCL device: im2col and matrix products, in pieces that fit.
//
//   forward           output      = weight * im2col(input)
//   backward-data     grad_input  = col2im(weight^T * grad_output)
//   backward-weights  grad_weight = grad_output * im2col(input)^T
//
// Operands travel when a pass first needs them and then stay on the device, unless they are cut
// into blocks. Sums are always made in the same order: a result depends on the device, the
// algorithm and the limits, not on timing.
#pragma once

#include <memory>
#include <span>
#include <string>

#include "engine/device/device.h"
#include "engine/device/opencl_launch.h"
#include "engine/device/opencl_plan.h"

namespace convoy {

class OpenClConv : public DeviceConv {
 public:
  // `product` is one of product_names(). Throws Error(kDevice) when the problem does not fit.
  OpenClConv(std::shared_ptr<OpenClContext> context, const ConvProblem& problem,
             const std::string& product, const OpenClLimits& limits,
             ChosenBy chosen_by = ChosenBy::kNecessity);
  ~OpenClConv() override;

  const ConvProblem& problem() const override { return problem_; }
  void set_operand(Operand operand, const float* host) override;
  void run(Pass pass, float* result, const StopToken* stop) override;
  std::string algorithm(Pass pass) const override;
  ChosenBy chosen_by(Pass) const override { return chosen_by_; }
  double executed_flops(Pass pass) const override;
  std::size_t scratch_bytes() const override;

  // How the layer is cut now; smaller after the device has run out of memory.
  const OpenClBlocks& blocks() const { return blocks_; }

 private:
  struct Range {
    int first = 0, count = 0;
    bool operator==(const Range&) const = default;
  };
  // A part of a host matrix of `width` columns, in floats; dense on the device.
  struct Part {
    std::size_t first_row = 0, rows = 0, first_column = 0, columns = 0, width = 0;
    bool whole = false;  // all of the matrix
    bool operator==(const Part&) const = default;
    std::size_t bytes() const { return rows * columns * sizeof(float); }
  };
  struct OperandCopy {
    const float* host = nullptr;
    GrowingBuffer copy;
    ClBuffer in_place;
    Part part;  // that `copy` or `in_place` holds
    bool valid = false;
  };

  static std::span<const Operand> operands_of(Pass pass);
  OperandCopy& operand(Operand operand) { return operands_[static_cast<int>(operand)]; }

  Part input_part(const Range& pictures) const;
  Part weight_part(const Range& kernels) const;
  Part output_part(const Range& pictures, const Range& kernels) const;
  cl_mem on_device(Operand operand, const Part& part);
  cl_mem result_on_device(float* host, const Part& part);
  void fetch_result(float* host, const Part& part);

  void run_pieces(Pass pass, float* result, const StopToken* stop);
  void forward(float* output, const StopToken* stop);
  void backward_data(float* grad_input, const StopToken* stop);
  void backward_weights(float* grad_weight, const StopToken* stop);
  void unfold(cl_mem input, const Range& pictures, const Range& positions);
  void fold(cl_mem grad_input, const Range& pictures, const Range& positions);
  MatrixView columns_view(const Range& pictures, const Range& positions);
  MatrixView output_view(cl_mem output, const Range& pictures, const Range& positions) const;
  // Work queued since the last call is one piece; at most two are under way.
  void end_piece(const StopToken* stop);
  void use_less_memory(const OutOfDeviceMemory& reason);
  void plan();

  std::shared_ptr<OpenClContext> context_;
  ConvProblem problem_;
  OpenClLimits limits_;
  ChosenBy chosen_by_;
  OpenClBlocks blocks_;
  ClQueue queue_;
  std::unique_ptr<MatrixProduct> product_;
  ClKernel im2col_, col2im_;
  int lanes_ = 1;  // pictures of a work item in im2col and col2im
  OperandCopy operands_[3];
  GrowingBuffer columns_, result_;
  ClBuffer result_in_place_;
  ClEvent piece_under_way_;
};

}  // namespace convoy
