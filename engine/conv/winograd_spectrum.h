// Spectra by Winograd's F(2x2, 3x3): what winograd_transform.h makes of maps and weights. All
// points are real. See conv_spectrum.h for their layout.
//
// A channel's map is put into a lattice of tiles strip by strip, a few rows of tiles that stay in
// the caches, with zeros for the padding and for what lies outside.
#pragma once

#include <cstddef>
#include <vector>

#include "engine/conv/conv_problem.h"
#include "engine/conv/conv_spectrum.h"
#include "engine/conv/winograd_transform.h"

namespace convoy {

class WinogradSpectrum : public ConvSpectrum {
 public:
  explicit WinogradSpectrum(const ConvProblem& problem);  // 3x3 kernels, stride 1

  const char* name() const override { return "winograd"; }
  SpectrumShape shape() const override;
  std::vector<SpectrumPoint> points() const override;
  void transform_map(MapRole role, const float* maps, std::size_t channel, std::size_t ahead,
                     Range columns, float* row, std::size_t plane_stride, bool streamed,
                     float* work) const override;
  void restore_map(MapRole role, const float* row, std::size_t plane_stride, std::size_t channel,
                   std::size_t ahead, Range columns, float* maps, bool streamed,
                   float* work) const override;
  // Overlapping tiles are added up before they are written, as far as they are there.
  bool adds_to_input(Range columns) const override { return columns.size() < columns_; }
  std::size_t weight_parts() const override { return 1; }
  void transform_weights(const float* weights, std::size_t kernel, std::size_t part, float* row,
                         std::size_t plane_stride, bool streamed, float* work) const override;
  void restore_weights(const float* row, std::size_t plane_stride, std::size_t kernel,
                       std::size_t part, std::size_t ahead, float* weights,
                       float* work) const override;

 private:
  struct Map;
  struct Work;
  Map map_of(MapRole role, std::size_t channel) const;
  Work work_of(MapRole role, float* work) const;
  void split_row(const Map& map, std::size_t row, const float* maps, const Work& work) const;
  void fill_input(const Map& map, const float* maps, Range tile_rows, const Work& work) const;
  void fill_output(const Map& map, const float* maps, Range tile_rows, const Work& work) const;
  void write_input(const Map& map, Range rows, std::size_t first_tile_row, bool add, float* maps,
                   const Work& work) const;
  void write_output(const Map& map, Range tile_rows, Range columns, float* maps,
                    const Work& work) const;
  template <class Strip>
  void for_strips(Range columns, const Strip& strip) const;

  const ConvProblem p_;
  const std::size_t batch_, down_, across_;  // rows of tiles, and tiles of a row
  const std::size_t lanes_;                  // of a row of tiles
  const std::size_t columns_;
  const std::size_t strip_;  // rows of tiles
};

}  // namespace convoy
