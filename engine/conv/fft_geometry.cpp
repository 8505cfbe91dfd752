#include "engine/conv/fft_geometry.h"

#include <algorithm>

#include "engine/base/rounding.h"
#include "engine/conv/fft_transform.h"

namespace convoy {
namespace {

// The smallest circle on which a tile's outputs are free of aliasing.
int needed_size(const FftAxis& axis, const FftTile& tile) {
  const int needed = std::max({tile.outputs, axis.kernel, tile.inputs});
  if (tile.inputs == 0) return needed;
  // What the outputs read, with the padding, which must fall on zeros.
  const int begin = tile.first_output - axis.padding;
  const int end = begin + tile.outputs + axis.kernel - 1;
  return std::max({needed, tile.first_input + tile.inputs - begin, end - tile.first_input});
}

bool fits(const FftAxis& axis) {
  for (int t = 0; t < axis.tiles(); ++t)
    if (needed_size(axis, axis.tile(t)) > axis.size) return false;
  return true;
}

int real_points(int size) {
  return size % 2 == 0 ? 2 : 1;
}

}  // namespace

FftTile FftAxis::tile(int index) const {
  FftTile tile;
  tile.first_output = index * tile_outputs;
  tile.outputs = std::min(tile_outputs, output - tile.first_output);
  const int begin = tile.first_output - padding, end = begin + tile.outputs + kernel - 1;
  tile.first_input = std::clamp(begin, 0, input);
  tile.inputs = std::clamp(end, tile.first_input, input) - tile.first_input;
  tile.output_at = (begin - tile.first_input) % size;
  if (tile.output_at < 0) tile.output_at += size;
  return tile;
}

std::optional<FftAxis> make_fft_axis(int size, int input, int output, int kernel, int padding) {
  FftAxis axis{size, input, output, kernel, padding, output};
  if (fits(axis)) return axis;
  if (size < kernel) return std::nullopt;
  const int most = size - kernel + 1;
  const int tiles = (output + most - 1) / most;
  axis.tile_outputs = (output + tiles - 1) / tiles;
  return axis;
}

double FftGeometry::products() const {
  const double real = real_points(vertical.size) * real_points(horizontal.size);
  return 1.5 * (static_cast<double>(planes()) - real) + real;
}

bool fft_mixes_tiles(int batch, int tiles) {
  return batch < static_cast<int>(kFftLanes) && tiles > 1;
}

std::size_t fft_lanes_of_map(int batch, int tiles) {
  const auto pictures = static_cast<std::size_t>(batch), count = static_cast<std::size_t>(tiles);
  return fft_mixes_tiles(batch, tiles) ? round_up(pictures * count, kFftLanes)
                                       : round_up(pictures, kFftLanes) * count;
}

std::vector<SpectrumPoint> fft_points(int vertical_size, int horizontal_size) {
  std::vector<SpectrumPoint> points;
  const auto plane = [&](int row, int column) {
    return static_cast<std::size_t>(row) * horizontal_size + column;
  };
  for (int k = 0; k <= vertical_size / 2; ++k) {
    const bool k_real = k == 0 || 2 * k == vertical_size;
    const int k_sine = vertical_size / 2 + k;
    for (int m = 0; m <= horizontal_size / 2; ++m) {
      const bool m_real = m == 0 || 2 * m == horizontal_size;
      const int m_sine = horizontal_size / 2 + m;
      if (k_real && m_real) {
        points.push_back({plane(k, m), 0, true});
      } else if (k_real) {
        points.push_back({plane(k, m), plane(k, m_sine), false});
      } else {
        points.push_back({plane(k, m), plane(k_sine, m), false});
        if (!m_real) points.push_back({plane(k_sine, m_sine), plane(k, m_sine), false});
      }
    }
  }
  return points;
}

FftGeometry choose_fft_geometry(const ConvProblem& p, bool fixed_lanes) {
  const auto sizes = [](int input, int output, int kernel, int padding) {
    std::vector<FftAxis> axes;
    for (int size = kernel; size <= kLargestFft; ++size)
      if (const auto axis = make_fft_axis(size, input, output, kernel, padding))
        axes.push_back(*axis);
    return axes;
  };
  const double channels = p.in_channels, kernels = p.out_channels, batch = p.batch;
  FftGeometry best;
  double least = 0;
  for (const FftAxis& v : sizes(p.in_height, p.out_height(), p.kernel_height, p.padding.top))
    for (const FftAxis& h : sizes(p.in_width, p.out_width(), p.kernel_width, p.padding.left)) {
      const FftGeometry geometry{v, h};
      const double columns = geometry.tiles() * batch;
      // Of batches that fill the lanes nearly all of them count.
      const double lanes = fixed_lanes && p.batch < static_cast<int>(kFftLanes)
                               ? static_cast<double>(fft_lanes_of_map(p.batch, geometry.tiles()))
                               : columns;
      const double products = 2 * geometry.products() * channels * kernels * columns;
      // A transformed element costs two short sums and its way through memory and back: 0.4 to 0.7
      // ns where the products do a hundred operations in one.
      const double elements = static_cast<double>(geometry.planes()) *
                              (channels * kernels + (channels + kernels) * lanes);
      const double work = products + elements * (v.size + h.size + 30);
      if (best.vertical.size == 0 || work < least) {
        best = geometry;
        least = work;
      }
    }
  return best;
}

}  // namespace convoy
