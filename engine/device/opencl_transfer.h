// Between operands and results in the host's memory and buffers on a device; for the OpenCL
// convolutions.
#pragma once

#include <algorithm>
#include <cstddef>

#include "engine/conv/conv_problem.h"
#include "engine/device/opencl_runtime.h"

namespace convoy {

// Pictures, kernels or positions that are on the device at one time.
struct OpenClBlock {
  int first = 0, count = 0;
  bool operator==(const OpenClBlock&) const = default;
};

// Calls work(block) for each block of at most `most` of what `all` is, or of [0, total).
template <class Work>
void for_blocks(const OpenClBlock& all, int most, const Work& work) {
  for (int done = 0; done < all.count; done += most)
    work(OpenClBlock{all.first + done, std::min(most, all.count - done)});
}
template <class Work>
void for_blocks(int total, int most, const Work& work) {
  for_blocks(OpenClBlock{0, total}, most, work);
}

// A part of a host matrix of `width` columns, in floats; dense on the device, where it begins at
// `device_offset`.
struct HostPart {
  std::size_t first_row = 0, rows = 0, first_column = 0, columns = 0, width = 0;
  bool whole = false;  // all of the matrix
  std::size_t device_offset = 0;
  bool operator==(const HostPart&) const = default;
  std::size_t bytes() const { return rows * columns * sizeof(float); }
};

// Of the arrays of ConvProblem; the gradients lie as what they are gradients of.
HostPart input_part(const ConvProblem& problem, const OpenClBlock& pictures);
HostPart weight_part(const ConvProblem& problem, const OpenClBlock& kernels);
HostPart output_part(const ConvProblem& problem, const OpenClBlock& pictures,
                     const OpenClBlock& kernels);
// Of the maps after pooling.
HostPart pooled_part(const ConvProblem& problem, const OpenClBlock& pictures,
                     const OpenClBlock& kernels);

// A float for each kernel.
HostPart bias_part(const ConvProblem& problem);

// Some of a part's `groups` equal runs of rows, and where they lie on the device.
HostPart rows_of_part(const HostPart& part, const OpenClBlock& some, int groups);

// Enqueues; the host's memory must stay until that has been done.
void write_part(const OpenClContext& context, cl_command_queue queue, cl_mem buffer,
                const float* host, const HostPart& part);
// Returns when the part is there.
void read_part(const OpenClContext& context, cl_command_queue queue, cl_mem buffer, float* host,
               const HostPart& part);
// The same for a buffer that is the host's memory (OpenClContext::wrap_host()).
void read_in_place(const OpenClContext& context, cl_command_queue queue, cl_mem buffer,
                   std::size_t bytes);

// Throws Error(kDevice) that names an operand of the pass that has not been set. `hosts` is in the
// order of Operand.
void require_operands(Pass pass, const float* const (&hosts)[3], const std::string& where);

}  // namespace convoy
