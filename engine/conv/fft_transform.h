// Two-dimensional discrete Fourier transforms of real tiles, sixteen side by side.
//
// The sizes are small (up to kLargestFft) and the data lie in lanes, so a transform is a product
// with the matrix of cosines and sines, rows first, then columns.
//
// The spectrum of a real tile of H x W has as many independent real numbers as the tile. They fill
// H * W planes, in an order that lets the transforms work in place: with row index k for cosines
// (k <= H/2) and H/2 + k for sines, and likewise for columns, the point F(k, m) has its real part
// at (k, m) and its imaginary part at (H/2 + k, m), while F(-k, m) has them at (H/2 + k, W/2 + m)
// and (k, W/2 + m). Where k is its own negative, F(k, m) is at (k, m) and (k, W/2 + m). See
// fft_points().
#pragma once

#include <cstddef>
#include <vector>

namespace convoy {

inline constexpr std::size_t kFftLanes = 16;  // floats

// The matrices of one dimension.
class FftMatrix {
 public:
  explicit FftMatrix(int size);
  std::size_t size() const { return size_; }
  // From points to coefficients: size() x 2 size(), a column for each point of the circle, twice
  // around so that a range may wrap.
  const float* analysis() const { return analysis_.data(); }
  // From coefficients to points, its inverse: 2 size() x size().
  const float* synthesis() const { return synthesis_.data(); }

 private:
  std::size_t size_;
  std::vector<float> analysis_, synthesis_;
};

// The points of a tile that are not zero, or that are wanted: on the circle from `at` on, `count`
// of them, `stride` floats apart in memory.
struct FftSpan {
  std::size_t at = 0, count = 0, stride = 0;
};

// Copies `count` lanes of each plane from a staged run to their row of the spectrum; around the
// caches, where `streamed` and as far as the lanes begin on a 64-byte boundary.
void spread_lanes(const float* staged, std::size_t staged_stride, std::size_t planes,
                  std::size_t count, float* row, std::size_t plane_stride, bool streamed);

class FftTransform {
 public:
  FftTransform(int vertical_size, int horizontal_size);
  std::size_t planes() const { return vertical_.size() * horizontal_.size(); }
  // Floats of the work space that both directions need, on a 64-byte boundary.
  std::size_t work_floats() const { return 2 * planes() * kFftLanes; }

  // kFftLanes tiles to their spectrum; lane l of plane p goes to spectrum[p * plane_stride + l].
  void forward(const float* tiles, const FftSpan& rows, const FftSpan& columns, float* spectrum,
               std::size_t plane_stride, float* work) const;
  // And back; adds to the tiles when `add`.
  void inverse(const float* spectrum, std::size_t plane_stride, const FftSpan& rows,
               const FftSpan& columns, bool add, float* tiles, float* work) const;

 private:
  FftMatrix vertical_, horizontal_;
};

}  // namespace convoy
