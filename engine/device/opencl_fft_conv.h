// One layer's share on an OpenCL device in the frequency domain, in blocks that fit.
//
//   forward           output^      = conj(weight^) input^
//   backward-data     grad_input^  = weight^ grad_output^
//   backward-weights  grad_weight^ = conj(grad_output^) input^
//
// for each point of the spectrum, where ^ stands for transforms; for stride 1 and kernels of at
// most 11 x 11. It is the transforms of operands that stay on the device, and serve all passes.
#pragma once

#include <memory>
#include <string>

#include "engine/device/opencl_conv.h"
#include "engine/device/opencl_fft_plan.h"
#include "engine/device/opencl_fft_transform.h"

namespace convoy {

class OpenClFftConv : public OpenClConv {
 public:
  // `product` is one of product_names(). Throws Error(kDevice) when the transform domain does not
  // serve the problem, or it does not fit. The geometry is the best for the problem, or as given.
  OpenClFftConv(std::shared_ptr<OpenClContext> context, const ConvProblem& problem,
                const std::string& product, const OpenClLimits& limits,
                ChosenBy chosen_by = ChosenBy::kNecessity,
                std::shared_ptr<OpenClPooling> pooling = nullptr);
  OpenClFftConv(std::shared_ptr<OpenClContext> context, const ConvProblem& problem,
                const FftGeometry& geometry, const std::string& product, const OpenClLimits& limits,
                ChosenBy chosen_by = ChosenBy::kNecessity,
                std::shared_ptr<OpenClPooling> pooling = nullptr);
  ~OpenClFftConv() override;

  double executed_flops(Pass pass) const override;
  // How the layer is cut now; smaller after the device has run out of memory.
  const OpenClFftBlocks& blocks() const { return blocks_; }

 private:
  // The planes of an operand's block.
  struct Spectrum {
    GrowingBuffer planes;
    OpenClBlock pictures, kernels;
    bool made = false;
  };

  void run_pieces(Pass pass, const OpenClBlock& pictures, float* result,
                  OpenClRunningPass& running) override;
  void forget(Operand operand) override { spectrum(operand).made = false; }
  void release() override;
  void plan() override;
  OpenClMemory memory() const override;

  Spectrum& spectrum(Operand operand) { return spectra_[static_cast<int>(operand)]; }
  // An operand's rows that are transformed, and what it is a part of in the host's memory.
  OpenClBlock rows_of(Operand operand, const OpenClBlock& kernels) const;
  HostPart part_of(Operand operand, const OpenClBlock& pictures, const OpenClBlock& kernels) const;
  cl_mem maps_of(const OpenClBlock& pictures, const OpenClBlock& kernels);
  cl_mem buffer_for(float* host, const HostPart& part, GrowingBuffer& moving);

  // Unless the device has them already.
  void transform(Operand operand, const OpenClBlock& pictures, const OpenClBlock& kernels,
                 OpenClRunningPass& running);
  void multiply(Pass pass, const OpenClBlock& pictures, const OpenClBlock& kernels, bool accumulate,
                OpenClRunningPass& running);
  // Back out of the planes of the result, and to the host.
  void restore(Pass pass, const OpenClBlock& pictures, const OpenClBlock& kernels, float* result,
               OpenClRunningPass& running);
  GrowingBuffer& leaving() { return limits_.staging > 0 ? leaving_ : arriving_; }
  template <class Work>
  void for_row_pieces(Operand operand, int rows, int pictures, const HostPart& part,
                      OpenClRunningPass& running, const Work& work) const;
  MatrixView matrices(Operand operand, cl_mem planes, const OpenClBlock& pictures,
                      const OpenClBlock& kernels) const;

  ProductSize product_size(Pass pass, int pictures, int kernels) const;

  FftGeometry geometry_;
  OpenClFftBlocks blocks_;
  OpenClFftTransform transform_;
  Spectrum spectra_[3];
  GrowingBuffer result_planes_;
  GrowingBuffer arriving_;  // an operand on its way; and a result, unless
  GrowingBuffer leaving_;   // staged transfers go both ways at a time
  GrowingBuffer maps_;      // before pooling, and their gradient, where the layer pools
};

// Whether the transforms of this layer with this product are right on this device: the same
// geometry with few channels, kernels and pictures, against sums on the host. Empty, or what went
// wrong; remembered by the context. The product must be sound.
std::string checked_fft(const std::string& product, const ConvProblem& problem,
                        const OpenClLimits& limits, const std::shared_ptr<OpenClContext>& context);

}  // namespace convoy
