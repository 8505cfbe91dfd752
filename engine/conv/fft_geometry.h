// Where the tiles of an image lie in the circle of a discrete Fourier transform.
//
// One geometry serves all three passes, so that they can share transforms. A tile covers
// consecutive outputs and the inputs that these read. On a circle of `size` points the tile's first
// input is at 0, its outputs begin at `output_at`, and a kernel begins at 0. Then, without any
// aliasing, with ^ for transforms and ' for conjugates,
//   forward Y^ = X^ W^',   backward-data dX^ = dY^ W^,   backward-weights dW^ = X^ dY^'
// A circle as long as the input and the larger padding holds a whole image: the paddings of both
// sides may share the same zeros. Longer images are cut (overlap-save forwards, overlap-add back).
#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include "engine/conv/conv_problem.h"
#include "engine/conv/conv_spectrum.h"

namespace convoy {

inline constexpr int kLargestFft = 32;
inline constexpr int kLargestFftKernel = 11;

struct FftTile {
  int first_input = 0, inputs = 0;  // may be none: a tile of nothing but padding
  int first_output = 0, outputs = 0;
  int output_at = 0;  // the first output's place on the circle
};

// One dimension of an image.
struct FftAxis {
  int size = 0;  // points of the transform
  int input = 0, output = 0, kernel = 0, padding = 0;
  int tile_outputs = 0;

  int tiles() const { return (output + tile_outputs - 1) / tile_outputs; }
  FftTile tile(int index) const;
};

// With as few tiles as the size allows; nothing when it is too small for the kernel.
std::optional<FftAxis> make_fft_axis(int size, int input, int output, int kernel, int padding);

// What the transforms and products of a geometry cost; see conv_cost.h.
struct FftGeometry {
  FftAxis vertical, horizontal;

  std::size_t planes() const { return static_cast<std::size_t>(vertical.size) * horizontal.size; }
  int tiles() const { return vertical.tiles() * horizontal.tiles(); }
  // Real matrix products for all points of the spectrum: three for a complex point, one for a real.
  double products() const;
};

// Whether the lanes of a transform are filled with pictures of several tiles.
bool fft_mixes_tiles(int batch, int tiles);
// Pictures and tiles that the transforms of a map work on, with the lanes that are left empty.
std::size_t fft_lanes_of_map(int batch, int tiles);

// One of each pair of conjugate points: half of the spectrum determines the other half. See
// fft_transform.h for the planes.
std::vector<SpectrumPoint> fft_points(int vertical_size, int horizontal_size);

// The geometry with the least work for this problem; stride 1 and kernels up to kLargestFftKernel.
// Transforms of fixed lanes leave some of them empty where a batch is small.
FftGeometry choose_fft_geometry(const ConvProblem& problem, bool fixed_lanes = true);

}  // namespace convoy
