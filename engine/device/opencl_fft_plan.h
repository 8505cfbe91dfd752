// How a layer's transforms and their products are cut so that they fit a device's memory.
//
// Pictures and kernels are cut into blocks, the input channels never. The planes of a spectrum are
// multiplied some at a time.
#pragma once

#include <cstddef>
#include <string>

#include "engine/conv/fft_geometry.h"
#include "engine/device/opencl_plan.h"

namespace convoy {

// The most pictures and kernels at one time.
struct OpenClFftBlocks {
  int batch = 0, kernels = 0;
  bool operator==(const OpenClFftBlocks&) const = default;
};

// Floats of the spectrum of an operand of the block.
std::size_t fft_spectrum_floats(const ConvProblem& block, const FftGeometry& geometry,
                                Operand operand);

// Rows, columns and depth of a pass' products of these blocks, and how many of them are done at one
// time: bounded by the limits' piece_flops, and so that their scratch stays small.
ProductSize fft_product_size(const ConvProblem& problem, const FftGeometry& geometry, Pass pass,
                             const OpenClFftBlocks& blocks, const OpenClLimits& limits,
                             const ProductScratch& scratch);

// Bytes of each buffer that a layer cut like this needs: the spectra of the three operands, which
// the passes share, the planes of a result, and one buffer for operands and results on their way,
// where they are not in place (one for each where the limits have them staged), and one for maps
// that are pooled. All of it counts as scratch.
OpenClMemory fft_memory_of(const ConvProblem& problem, const FftGeometry& geometry,
                           const OpenClFftBlocks& blocks, const OpenClLimits& limits,
                           const ProductScratch& scratch);

// The largest blocks within the limits. Throws Error(kDevice) at `where` when not even one picture
// and one kernel fit.
OpenClFftBlocks plan_fft_blocks(const ConvProblem& problem, const FftGeometry& geometry,
                                const OpenClLimits& limits, const ProductScratch& scratch,
                                const std::string& where);

}  // namespace convoy
