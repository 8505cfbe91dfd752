// Between maps and weights in memory and the planes of their spectra.
//
// An element of plane p of a spectrum is at planes[p * plane_stride + row * row_stride + column],
// where maps have a row for each channel and a column for each [tile][image], and weights have a
// row for each kernel and a column for each input channel. Rows begin on 64-byte boundaries; what
// lies between a row's end and the next such boundary may be overwritten. `streamed` planes are
// written around the caches. `work` has planes() * (2 * kFftLanes + kFftRunStride) floats. All are
// safe to call from several threads for different rows.
#pragma once

#include <array>
#include <cstddef>
#include <vector>

#include "engine/conv/fft_geometry.h"
#include "engine/conv/fft_transform.h"
#include "engine/conv/im2col.h"

namespace convoy {

// Inputs and outputs lie on different parts of the circle; gradients where their values lie.
enum class MapRole { kInput, kOutput };

class FftSpectrum {
 public:
  FftSpectrum(const ConvProblem& problem, const FftGeometry& geometry);

  // The `columns` of one channel's map. `row` points to the row of plane 0, here and below. The
  // thread's next map is expected `ahead` channels further on, or there is none (0).
  void transform_map(MapRole role, const float* maps, std::size_t channel, std::size_t ahead,
                     Range columns, float* row, std::size_t plane_stride, bool streamed,
                     float* work) const;
  // Input maps are added where there is more than one tile; else `streamed` counts for the maps.
  void restore_map(MapRole role, const float* row, std::size_t plane_stride, std::size_t channel,
                   std::size_t ahead, Range columns, float* maps, bool streamed, float* work) const;

  // Parts of the input channels that are done one at a time.
  std::size_t weight_parts() const;
  // One part of one kernel.
  void transform_weights(const float* weights, std::size_t kernel, std::size_t part, float* row,
                         std::size_t plane_stride, bool streamed, float* work) const;
  // Here `ahead` counts parts.
  void restore_weights(const float* row, std::size_t plane_stride, std::size_t kernel,
                       std::size_t part, std::size_t ahead, float* weights, float* work) const;

 private:
  // A tile in a map: the offset of its first element, and where its rows and columns lie on the
  // circle.
  struct Place {
    std::size_t offset;
    FftSpan rows, columns;
  };
  Place place(MapRole role, std::size_t channel, std::size_t tile) const;

  // Batches smaller than kFftLanes fill the lanes with several tiles (fft_mixed_tiles.cpp).
  bool mixes_tiles() const { return !places_[0].empty(); }
  struct MixedTiles;
  MixedTiles mixed_tiles(MapRole role, std::size_t channel, Range columns) const;
  void transform_mixed(MapRole role, const float* maps, std::size_t channel, Range columns,
                       float* row, std::size_t plane_stride, bool streamed, float* work) const;
  void restore_mixed(MapRole role, const float* row, std::size_t plane_stride, std::size_t channel,
                     Range columns, float* maps, float* work) const;
  FftAhead next_tiles(MapRole role, const float* maps, std::size_t channel, std::size_t column,
                      Range columns, std::size_t ahead) const;
  FftAhead next_lanes(const float* row, std::size_t column, std::size_t columns,
                      std::size_t plane_stride, std::size_t ahead_floats) const;
  struct WeightPart;
  WeightPart weight_part(std::size_t kernel, std::size_t part) const;

  const ConvProblem p_;
  const FftGeometry geometry_;
  const FftTransform transform_;
  std::array<std::vector<Place>, 2> places_;  // by role: of all tiles in channel 0, to be mixed
};

}  // namespace convoy
