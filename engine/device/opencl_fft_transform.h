// The transforms of the frequency-domain convolution on an OpenCL device; kernels/fft_transform.cl.
//
// Spectra are planes of matrices, [planes][rows][columns], dense: those of maps have a row for each
// channel and a column for each [tile][picture], those of weights a row for each kernel and a
// column for each input channel. See the kernel for the order of the planes, and
// engine/conv/fft_geometry.h for tiles and for what the passes compute. Used by one thread at a
// time.
#pragma once

#include <cstddef>
#include <vector>

#include "engine/conv/fft_geometry.h"
#include "engine/device/opencl_launch.h"
#include "engine/device/opencl_transfer.h"

namespace convoy {

// Planes of a spectrum, and real products that multiply two spectra: three for a complex point of
// the spectrum, one for a real one.
int fft_plane_count(const FftGeometry& geometry);

class OpenClFftTransform {
 public:
  // `queue` is used to fill tables, and must be the one that transforms are queued in. Throws
  // Error(kDevice), OutOfDeviceMemory.
  OpenClFftTransform(OpenClContext& context, cl_command_queue queue, const ConvProblem& problem,
                     const FftGeometry& geometry);

  // Enqueues the transforms of some rows of an operand, or of what a gradient is the gradient of.
  // The buffers hold all rows of the block: input and output maps of `pictures` pictures, or
  // kernels.
  void transform(Operand operand, cl_mem source, cl_mem planes, const OpenClBlock& rows,
                 int block_rows, int pictures) const;
  // And back, out of the planes of a product. `conjugate`: one factor was to be conjugated.
  void restore(Operand operand, cl_mem planes, cl_mem target, const OpenClBlock& rows,
               int block_rows, int pictures, bool conjugate) const;

  // Operations of one row, roughly.
  double row_flops(Operand operand, int pictures) const;

 private:
  struct Tiles {
    ClBuffer table;
    std::vector<int> launches;  // tiles of each; those that overlap are in different ones
    int count = 0;
  };
  // Floats from one element to the next of a map or a kernel's weights.
  struct Layout {
    cl_int lanes = 0;
    cl_ulong row = 0, line = 0, point = 0, lane = 0;
    std::size_t columns = 0;  // of a row of the spectrum
  };

  ClBuffer upload(const void* data, std::size_t bytes) const;
  ClBuffer make_tables(bool inverse) const;
  Tiles make_tiles(Operand operand) const;
  const Tiles& tiles(Operand operand) const { return tiles_[static_cast<int>(operand)]; }
  Layout layout(Operand operand, int pictures) const;

  OpenClContext& context_;
  cl_command_queue queue_;
  const ConvProblem problem_;
  const FftGeometry geometry_;
  std::size_t vector_ = 1, lanes_ = 1, lines_ = 1;
  ClKernel transform_, restore_;
  ClBuffer forward_tables_, inverse_tables_;
  Tiles tiles_[3];
};

}  // namespace convoy
