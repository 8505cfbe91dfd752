// How a layer is cut so that it fits a device's memory.
//
// Pictures and kernels are cut into blocks: those of the input, the weights and the output maps
// that are on the device at one time. Within them the matrix of columns (im2col) is made and
// multiplied for a range of output positions at a time.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

#include "engine/conv/conv_problem.h"
#include "engine/device/opencl_gemm.h"

namespace convoy {

struct OpenClLimits {
  std::size_t total = 0;       // bytes on the device, of all buffers of the layer together
  std::size_t one_buffer = 0;  // bytes
  double piece_flops = 0.0;    // of one matrix product: Stop is answered between two
  int piece_columns = 0;       // of one matrix product: what stays in a cache
  // Operands and results that are not cut are used where they lie in the host's memory, which is
  // the device's too.
  bool in_place = false;
  // Otherwise transfers go beside the computing through pinned memory in pieces of so many bytes;
  // with 0 the driver makes them, one after the other with the computing.
  std::size_t staging = 0;
  // Bias, ReLU and pooling are done on the device: pooled maps travel, the output stays there.
  bool pooling = false;
  // Pictures may also come some at a time (DeviceConv::run_part()): maps need room on the device
  // then, as if they were cut.
  bool in_parts = false;
};

// The most pictures, kernels and output positions at one time.
struct OpenClBlocks {
  int batch = 0, kernels = 0, positions = 0;
  bool operator==(const OpenClBlocks&) const = default;
};

// Rows, columns and depth of a pass' product over these many positions.
ProductSize product_size(const ConvProblem& problem, Pass pass, const OpenClBlocks& blocks);

// Whether what is on the device at one time is not all, and the next of it travels meanwhile.
inline bool alternates(bool whole, const OpenClLimits& limits) {
  return !whole && limits.staging > 0;
}

// Bytes of each buffer that a layer cut like this needs, and all that are not in place together.
struct OpenClMemory {
  std::size_t total = 0, largest = 0;
  std::size_t scratch = 0;  // of total: what is neither an operand nor a result
};
using ProductScratch = std::function<std::vector<std::size_t>(const ProductSize&)>;
OpenClMemory memory_of(const ConvProblem& problem, const OpenClBlocks& blocks,
                       const OpenClLimits& limits, const ProductScratch& scratch);

// The largest blocks within the limits: positions are cut first, which costs little, then whichever
// of pictures and kernels takes more memory. Throws Error(kDevice) at `where` when not even one
// picture, one kernel and one position fit.
OpenClBlocks plan_blocks(const ConvProblem& problem, const OpenClLimits& limits,
                         const ProductScratch& scratch, const std::string& where);

}  // namespace convoy
