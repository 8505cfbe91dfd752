// Two-dimensional discrete Fourier transforms of real tiles, sixteen side by side.
//
// The sizes are small (up to kLargestFft), so a line is transformed in registers, rows first, then
// columns; see fft_codelets-inl.h.
//
// The spectrum of a real tile of H x W has as many independent real numbers as the tile. They fill
// H * W planes, in an order that lets the transforms work in place: with row index k for cosines
// (k <= H/2) and H/2 + k for sines, and likewise for columns, the point F(k, m) has its real part
// at (k, m) and its imaginary part at (H/2 + k, m), while F(-k, m) has them at (H/2 + k, W/2 + m)
// and (k, W/2 + m). Where k is its own negative, F(k, m) is at (k, m) and (k, W/2 + m). See
// fft_points().
#pragma once

#include <cstddef>

namespace convoy {

inline constexpr std::size_t kFftLanes = 16;  // floats

// The points of a tile that are not zero, or that are wanted: on the circle from `at` on, `count`
// of them, `stride` floats apart in memory.
struct FftSpan {
  std::size_t at = 0, count = 0, stride = 0;
};

// What will be read next: rows x columns lines of kFftLanes floats, brought closer meanwhile.
struct FftAhead {
  const float* first = nullptr;
  std::size_t rows = 0, row_stride = 0, columns = 0, column_stride = 0;
};

// How the inverse writes its tiles; kStream: around the caches, see FftTransform::streams().
enum class FftStore { kSet, kAdd, kStream };

// Copies `count` lanes of each plane from a staged run to their row of the spectrum; around the
// caches, where `streamed` and as far as the lanes begin on a 64-byte boundary.
void spread_lanes(const float* staged, std::size_t staged_stride, std::size_t planes,
                  std::size_t count, float* row, std::size_t plane_stride, bool streamed);

// The taps of up to kFftLanes channels, [channel][tap], to lanes, [tap][channel], and back. Lanes
// without a channel become zero, and are not read.
void gather_taps(const float* weights, std::size_t taps, std::size_t channels, float* lanes);
void scatter_taps(const float* lanes, std::size_t taps, std::size_t channels, float* weights);

// To be called before other threads read what was written around the caches.
void flush_streams();

class FftTransform {
 public:
  FftTransform(int vertical_size, int horizontal_size);
  std::size_t height() const { return height_; }
  std::size_t width() const { return width_; }
  std::size_t planes() const { return height_ * width_; }
  // Floats of the work space that both directions need, on a 64-byte boundary.
  std::size_t work_floats() const { return planes() * kFftLanes; }
  // Whether this processor writes kFftLanes floats at once. Only then is there any use in writing
  // around the caches from a transform; what is written so begins on 64-byte boundaries.
  bool streams() const { return streams_; }

  // kFftLanes tiles to their spectrum; lane l of plane p goes to spectrum[p * plane_stride + l].
  void forward(const float* tiles, const FftSpan& rows, const FftSpan& columns, float* spectrum,
               std::size_t plane_stride, bool streamed, const FftAhead& ahead, float* work) const;
  // And back.
  void inverse(const float* spectrum, std::size_t plane_stride, const FftSpan& rows,
               const FftSpan& columns, FftStore store, float* tiles, const FftAhead& ahead,
               float* work) const;

 private:
  std::size_t height_, width_;
  bool streams_;
};

}  // namespace convoy
