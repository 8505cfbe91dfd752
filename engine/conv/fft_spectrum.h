// Spectra by discrete Fourier transforms of tiles. See conv_spectrum.h for their layout and
// fft_transform.h for the planes.
#pragma once

#include <array>
#include <cstddef>
#include <vector>

#include "engine/conv/conv_spectrum.h"
#include "engine/conv/fft_geometry.h"
#include "engine/conv/fft_transform.h"

namespace convoy {

// Of a run that is staged in a work space, from plane to plane; not a power of two.
inline constexpr std::size_t kFftRunStride = kSpectrumRun + 16;

class FftSpectrum : public ConvSpectrum {
 public:
  FftSpectrum(const ConvProblem& problem, const FftGeometry& geometry);

  const char* name() const override { return "fft"; }
  SpectrumShape shape() const override;
  std::vector<SpectrumPoint> points() const override;
  void transform_map(MapRole role, const float* maps, std::size_t channel, std::size_t ahead,
                     Range columns, float* row, std::size_t plane_stride, bool streamed,
                     float* work) const override;
  void restore_map(MapRole role, const float* row, std::size_t plane_stride, std::size_t channel,
                   std::size_t ahead, Range columns, float* maps, bool streamed,
                   float* work) const override;
  // Tiles overlap.
  bool adds_to_input(Range) const override { return geometry_.tiles() > 1; }
  std::size_t weight_parts() const override;
  void transform_weights(const float* weights, std::size_t kernel, std::size_t part, float* row,
                         std::size_t plane_stride, bool streamed, float* work) const override;
  void restore_weights(const float* row, std::size_t plane_stride, std::size_t kernel,
                       std::size_t part, std::size_t ahead, float* weights,
                       float* work) const override;

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
