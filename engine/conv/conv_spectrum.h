// Between maps and weights in memory and the planes of their spectra: what they are in a domain in
// which a convolution is one matrix product for each point, be it the points of a Fourier transform
// or those of Winograd's.
//
// An element of plane p of a spectrum is at planes[p * plane_stride + row * row_stride + column],
// where maps have a row for each channel and a column for each [tile][image], and weights have a
// row for each kernel and a column for each input channel. Rows begin on 64-byte boundaries; what
// lies between a row's end and the next such boundary may be overwritten. `streamed` planes are
// written around the caches. `work` has work_floats floats on a 64-byte boundary. All are safe to
// call from several threads for different rows.
#pragma once

#include <cstddef>
#include <vector>

#include "engine/conv/range.h"

namespace convoy {

// A point as one of the planes, or as two where it is complex. With ^ for spectra and ' for
// conjugates
//   forward Y^ = X^ W^',   backward-data dX^ = dY^ W^,   backward-weights dW^ = X^ dY^'
struct SpectrumPoint {
  std::size_t real = 0, imaginary = 0;
  bool is_real = false;  // it has no imaginary part, and no plane of it
};

// What blocking has to know.
struct SpectrumShape {
  std::size_t planes = 0, tiles = 0;
  double products = 0;  // real matrix products for all points: three for a complex one
  std::size_t work_floats = 0;
  // Products of the weights' gradient that are added up in one short sum, which rounds less.
  std::size_t gradient_run = 0;
};

// Inputs and outputs lie on different parts of a tile; gradients where their values lie.
enum class MapRole { kInput, kOutput };

// Lanes that a task transforms before it writes them: runs of whole cache lines in every plane.
inline constexpr std::size_t kSpectrumRun = 128;

class ConvSpectrum {
 public:
  virtual ~ConvSpectrum() = default;
  virtual const char* name() const = 0;  // of the algorithm
  virtual SpectrumShape shape() const = 0;
  virtual std::vector<SpectrumPoint> points() const = 0;

  // The `columns` of one channel's map. `row` points to the row of plane 0, here and below. The
  // thread's next map is expected `ahead` channels further on, or there is none (0).
  virtual void transform_map(MapRole role, const float* maps, std::size_t channel,
                             std::size_t ahead, Range columns, float* row, std::size_t plane_stride,
                             bool streamed, float* work) const = 0;
  // Input maps are added where adds_to_input(); else `streamed` counts for the maps.
  virtual void restore_map(MapRole role, const float* row, std::size_t plane_stride,
                           std::size_t channel, std::size_t ahead, Range columns, float* maps,
                           bool streamed, float* work) const = 0;
  // Whether restore_map() adds these columns to what the input maps hold, in place of setting it.
  virtual bool adds_to_input(Range columns) const = 0;

  // Parts of the input channels that are done one at a time.
  virtual std::size_t weight_parts() const = 0;
  // One part of one kernel.
  virtual void transform_weights(const float* weights, std::size_t kernel, std::size_t part,
                                 float* row, std::size_t plane_stride, bool streamed,
                                 float* work) const = 0;
  // Here `ahead` counts parts.
  virtual void restore_weights(const float* row, std::size_t plane_stride, std::size_t kernel,
                               std::size_t part, std::size_t ahead, float* weights,
                               float* work) const = 0;
};

}  // namespace convoy
