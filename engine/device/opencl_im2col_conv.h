// One layer's share on an OpenCL device: im2col and matrix products, in pieces that fit.
//
//   forward           output      = weight * im2col(input)
//   backward-data     grad_input  = col2im(weight^T * grad_output)
//   backward-weights  grad_weight = grad_output * im2col(input)^T
#pragma once

#include <memory>
#include <string>

#include "engine/device/opencl_conv.h"
#include "engine/device/opencl_launch.h"

namespace convoy {

class OpenClIm2colConv : public OpenClConv {
 public:
  // `product` is one of product_names(). Throws Error(kDevice) when the problem does not fit.
  OpenClIm2colConv(std::shared_ptr<OpenClContext> context, const ConvProblem& problem,
                   const std::string& product, const OpenClLimits& limits,
                   ChosenBy chosen_by = ChosenBy::kNecessity,
                   std::shared_ptr<OpenClPooling> pooling = nullptr);
  ~OpenClIm2colConv() override;

  double executed_flops(Pass pass) const override;
  // How the layer is cut now; smaller after the device has run out of memory.
  const OpenClBlocks& blocks() const { return blocks_; }
  // Pictures of a work item in im2col and col2im.
  static int lanes_of(const OpenClContext& context, const ConvProblem& problem);

 private:
  // Two where blocks take turns (alternates()), else one.
  struct Copies {
    GrowingBuffer buffers[2];
    int current = 0;
    GrowingBuffer& get() { return buffers[current]; }
    void release() {
      for (GrowingBuffer& buffer : buffers) buffer.release();
    }
  };
  struct OperandCopy {
    Copies copies;
    ClBuffer in_place;
    HostPart part;  // that the current copy or `in_place` holds
    bool valid = false;
  };

  OperandCopy& operand(Operand operand) { return operands_[static_cast<int>(operand)]; }

  void run_pieces(Pass pass, const OpenClBlock& pictures, float* result,
                  OpenClRunningPass& running) override;
  void forget(Operand operand) override;
  void release() override;
  void plan() override;
  OpenClMemory memory() const override;

  cl_mem upload(Copies& copies, const float* host, const HostPart& part,
                OpenClRunningPass& running);
  cl_mem on_device(Operand operand, const HostPart& part, OpenClRunningPass& running);
  cl_mem grad_output_on_device(const OpenClBlock& pictures, const OpenClBlock& kernels,
                               OpenClRunningPass& running);
  cl_mem result_on_device(Copies& copies, float* host, const HostPart& part,
                          OpenClRunningPass& running);
  void fetch_result(cl_mem result, float* host, const HostPart& part, OpenClRunningPass& running);

  void forward(const OpenClBlock& all, float* output, OpenClRunningPass& running);
  void backward_data(const OpenClBlock& all, float* grad_input, OpenClRunningPass& running);
  void backward_weights(float* grad_weight, OpenClRunningPass& running);
  void unfold(cl_mem input, const OpenClBlock& pictures, const OpenClBlock& positions);
  void fold(cl_mem grad_input, const OpenClBlock& pictures, const OpenClBlock& positions);
  MatrixView columns_view(const OpenClBlock& pictures, const OpenClBlock& positions);
  MatrixView output_view(cl_mem output, const OpenClBlock& pictures,
                         const OpenClBlock& positions) const;

  OpenClBlocks blocks_;
  ClKernel im2col_, col2im_;
  int lanes_ = 1;
  OperandCopy operands_[3];
  GrowingBuffer columns_;
  Copies results_;
  Copies pooled_;  // maps on their way, where the layer pools
};

// Whether unfolding and folding are right on this device for this layer: the same kernel, stride
// and padding with small maps, few channels, kernels and pictures, against sums on the host. Empty,
// or what went wrong; remembered by the context. The product, which must be sound, is nothing to
// it.
std::string checked_im2col(const std::string& product, const ConvProblem& problem,
                           const OpenClLimits& limits,
                           const std::shared_ptr<OpenClContext>& context);

}  // namespace convoy
