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
#include <string>

#include "engine/device/device.h"
#include "engine/device/opencl_launch.h"
#include "engine/device/opencl_plan.h"
#include "engine/device/opencl_transfer.h"

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
  struct OperandCopy {
    const float* host = nullptr;
    GrowingBuffer copy;
    ClBuffer in_place;
    HostPart part;  // that `copy` or `in_place` holds
    bool valid = false;
  };

  OperandCopy& operand(Operand operand) { return operands_[static_cast<int>(operand)]; }

  cl_mem on_device(Operand operand, const HostPart& part);
  cl_mem result_on_device(float* host, const HostPart& part);
  void fetch_result(float* host, const HostPart& part);

  void run_pieces(Pass pass, float* result, const StopToken* stop);
  void forward(float* output, OpenClPieces& pieces);
  void backward_data(float* grad_input, OpenClPieces& pieces);
  void backward_weights(float* grad_weight, OpenClPieces& pieces);
  void unfold(cl_mem input, const OpenClBlock& pictures, const OpenClBlock& positions);
  void fold(cl_mem grad_input, const OpenClBlock& pictures, const OpenClBlock& positions);
  MatrixView columns_view(const OpenClBlock& pictures, const OpenClBlock& positions);
  MatrixView output_view(cl_mem output, const OpenClBlock& pictures,
                         const OpenClBlock& positions) const;
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
};

}  // namespace convoy
