#include "engine/conv/winograd_spectrum.h"

#include <algorithm>
#include <cstring>

#include "engine/base/rounding.h"
#include "engine/conv/fft_transform.h"

namespace convoy {
namespace {

// Lanes of a strip whose lattice stays in a core's second-level cache: half a megabyte.
constexpr std::size_t kStripLanes = 16384;
constexpr std::size_t kGradientRun = 48;  // with 128 the error can be twice that of direct sums
constexpr std::size_t kInputPlanes = 8, kOutputPlanes = 4, kTaps = 9;

std::size_t size(int n) {
  return static_cast<std::size_t>(n);
}

// Of a lattice's plane. An odd number of cache lines: all planes of a tile are read together.
std::size_t lattice_stride(std::size_t lanes) {
  return (ceil_div(lanes + kWinogradSlack, kWinogradSlack) | 1) * kWinogradSlack;
}

// The pixels of an edge, which nothing is read for.
void clear(float* from, float* to) {
  std::fill(from, to, 0.0f);
}

}  // namespace

// One channel's map of `size` floats, which begins at `offset` of `all` in all maps. Its first row
// and column are this far into the tiles.
struct WinogradSpectrum::Map {
  std::size_t height, width, top, left;
  std::size_t size, offset, all;
};

struct WinogradSpectrum::Work {
  WinogradLattice lattice;
  float *even, *odd;  // pixels of a row
};

WinogradSpectrum::WinogradSpectrum(const ConvProblem& problem)
    : p_(problem),
      batch_(size(problem.batch)),
      down_(size(problem.out_height() + 1) / 2),
      across_(size(problem.out_width() + 1) / 2),
      lanes_(across_ * batch_),
      columns_(down_ * lanes_),
      strip_(std::clamp<std::size_t>(kStripLanes / lanes_, 1, down_)) {}

SpectrumShape WinogradSpectrum::shape() const {
  const std::size_t maps = kInputPlanes * lattice_stride((strip_ + 1) * lanes_) +
                           2 * lattice_stride((across_ + 1) * batch_);
  const std::size_t weights = kTaps * kFftLanes;
  return {kWinogradPlanes, down_ * across_, 1.0 * kWinogradPlanes, std::max(maps, weights),
          kGradientRun};
}

std::vector<SpectrumPoint> WinogradSpectrum::points() const {
  std::vector<SpectrumPoint> points;
  for (std::size_t plane = 0; plane < kWinogradPlanes; ++plane) points.push_back({plane, 0, true});
  return points;
}

WinogradSpectrum::Map WinogradSpectrum::map_of(MapRole role, std::size_t channel) const {
  const auto map = [&](int height, int width, int top, int left, std::size_t all) {
    const std::size_t floats = size(height) * size(width) * batch_;
    return Map{size(height), size(width), size(top), size(left), floats, channel * floats, all};
  };
  if (role == MapRole::kOutput) return map(p_.out_height(), p_.out_width(), 0, 0, p_.output_size());
  return map(p_.in_height, p_.in_width, p_.padding.top, p_.padding.left, p_.input_size());
}

WinogradSpectrum::Work WinogradSpectrum::work_of(MapRole role, float* work) const {
  const bool is_input = role == MapRole::kInput;
  const std::size_t stride = lattice_stride((strip_ + (is_input ? 1 : 0)) * lanes_);
  float* const rows = work + (is_input ? kInputPlanes : kOutputPlanes) * stride;
  return {{work, stride, lanes_}, rows, rows + lattice_stride((across_ + 1) * batch_)};
}

// Calls strip(tile rows, columns) for the strips that have any of the columns.
template <class Strip>
void WinogradSpectrum::for_strips(Range columns, const Strip& strip) const {
  for (std::size_t row = 0; row < down_; row += strip_) {
    const Range rows = {row, std::min(down_, row + strip_)};
    const Range part = {std::max(columns.begin, rows.begin * lanes_),
                        std::min(columns.end, rows.end * lanes_)};
    if (part.begin < part.end) strip(rows, part);
  }
}

// A row's pixels with the padding, to even and odd ones.
void WinogradSpectrum::split_row(const Map& map, std::size_t row, const float* maps,
                                 const Work& work) const {
  const std::size_t end = map.left + map.width;
  float* const even = work.even + (map.left + 1) / 2 * batch_;
  float* const odd = work.odd + map.left / 2 * batch_;
  clear(work.even, even);
  clear(work.odd, odd);
  const std::size_t offset = map.offset + row * map.width * batch_;
  const bool first_is_odd = map.left % 2 == 1;
  split_pixels(maps + offset, map.width, batch_, map.all - offset, first_is_odd ? odd : even,
               first_is_odd ? even : odd);
  clear(work.even + (end + 1) / 2 * batch_, work.even + (across_ + 1) * batch_);
  clear(work.odd + end / 2 * batch_, work.odd + (across_ + 1) * batch_);
}

void WinogradSpectrum::fill_input(const Map& map, const float* maps, Range tile_rows,
                                  const Work& work) const {
  for (std::size_t row = 2 * tile_rows.begin; row < 2 * tile_rows.end + 2; ++row) {
    float* const to = work.lattice.data + row % 2 * 4 * work.lattice.stride +
                      (row / 2 - tile_rows.begin) * lanes_;
    const std::size_t stride = work.lattice.stride;
    if (row < map.top || row >= map.top + map.height) {
      for (std::size_t j = 0; j < 4; ++j) clear(to + j * stride, to + j * stride + lanes_);
      continue;
    }
    split_row(map, row - map.top, maps, work);
    const float* const pixels[] = {work.even, work.odd, work.even + batch_, work.odd + batch_};
    for (std::size_t j = 0; j < 4; ++j)
      std::memcpy(to + j * stride, pixels[j], lanes_ * sizeof(float));
  }
}

void WinogradSpectrum::fill_output(const Map& map, const float* maps, Range tile_rows,
                                   const Work& work) const {
  for (std::size_t row = 2 * tile_rows.begin; row < 2 * tile_rows.end; ++row) {
    float* const even = work.lattice.data + row % 2 * 2 * work.lattice.stride +
                        (row / 2 - tile_rows.begin) * lanes_;
    float* const odd = even + work.lattice.stride;
    if (row >= map.height) {
      clear(even, even + lanes_);
      clear(odd, odd + lanes_);
      continue;
    }
    const std::size_t offset = map.offset + row * map.width * batch_;
    split_pixels(maps + offset, map.width, batch_, map.all - offset, even, odd);
    clear(odd + map.width / 2 * batch_, odd + lanes_);
  }
}

// Rows of tiles of the lattice, of which `first_tile_row` is the first.
void WinogradSpectrum::write_input(const Map& map, Range rows, std::size_t first_tile_row, bool add,
                                   float* maps, const Work& work) const {
  const auto pixels = [&](const float* first, const float* second, float* to) {
    std::memcpy(to, first, batch_ * sizeof(float));
    add_floats(first + batch_, second, lanes_ - batch_, to + batch_);
    std::memcpy(to + lanes_, second + lanes_ - batch_, batch_ * sizeof(float));
  };
  for (std::size_t n = 2 * rows.begin; n < 2 * rows.end; ++n) {
    const std::size_t row = 2 * first_tile_row + n;
    if (row < map.top || row >= map.top + map.height) continue;
    const std::size_t stride = work.lattice.stride;
    const float* const from = work.lattice.data + n % 2 * 4 * stride + n / 2 * lanes_;
    pixels(from, from + 2 * stride, work.even);
    pixels(from + stride, from + 3 * stride, work.odd);
    const float* const even = work.even + (map.left + 1) / 2 * batch_;
    const float* const odd = work.odd + map.left / 2 * batch_;
    const bool first_is_odd = map.left % 2 == 1;
    const std::size_t at = (row - map.top) * map.width * batch_;
    join_pixels(first_is_odd ? odd : even, first_is_odd ? even : odd, map.width, batch_, add,
                map.size - at, maps + map.offset + at);
  }
}

void WinogradSpectrum::write_output(const Map& map, Range tile_rows, Range columns, float* maps,
                                    const Work& work) const {
  const float* const data = work.lattice.data;
  const std::size_t stride = work.lattice.stride;
  if (columns.size() == tile_rows.size() * lanes_) {
    const std::size_t end = std::min(map.height, 2 * tile_rows.end);
    for (std::size_t row = 2 * tile_rows.begin; row < end; ++row) {
      const float* const even = data + row % 2 * 2 * stride + (row / 2 - tile_rows.begin) * lanes_;
      const std::size_t at = row * map.width * batch_;
      join_pixels(even, even + stride, map.width, batch_, false, map.size - at,
                  maps + map.offset + at);
    }
    return;
  }
  for (std::size_t column = columns.begin; column < columns.end;) {
    const std::size_t tile = column / batch_, image = column % batch_;
    const std::size_t count = std::min(batch_ - image, columns.end - column);
    for (std::size_t n = 0; n < kOutputPlanes; ++n) {
      const std::size_t y = tile / across_ * 2 + n / 2, x = tile % across_ * 2 + n % 2;
      if (y < map.height && x < map.width)
        std::memcpy(maps + map.offset + (y * map.width + x) * batch_ + image,
                    data + n * stride + column - tile_rows.begin * lanes_, count * sizeof(float));
    }
    column += count;
  }
}

void WinogradSpectrum::transform_map(MapRole role, const float* maps, std::size_t channel,
                                     std::size_t, Range columns, float* row,
                                     std::size_t plane_stride, bool streamed, float* work) const {
  const Map map = map_of(role, channel);
  const Work at = work_of(role, work);
  const std::size_t room = round_up(columns.size(), kFftLanes);
  for_strips(columns, [&](Range tile_rows, Range part) {
    const std::size_t done = part.begin - columns.begin;
    const WinogradRow to{row + done, plane_stride, room - done, streamed};
    const std::size_t first = part.begin - tile_rows.begin * lanes_;
    if (role == MapRole::kInput) {
      fill_input(map, maps, tile_rows, at);
      winograd_from_input(at.lattice, first, part.size(), to);
    } else {
      fill_output(map, maps, tile_rows, at);
      winograd_from_output(at.lattice, first, part.size(), to);
    }
  });
  if (streamed) flush_streams();
}

void WinogradSpectrum::restore_map(MapRole role, const float* row, std::size_t plane_stride,
                                   std::size_t channel, std::size_t, Range columns, float* maps,
                                   bool, float* work) const {
  const Map map = map_of(role, channel);
  const Work at = work_of(role, work);
  const std::size_t stride = at.lattice.stride;
  bool begun = false;
  for_strips(columns, [&](Range tile_rows, Range part) {
    const WinogradSource from{row + part.begin - columns.begin, plane_stride};
    const std::size_t first = part.begin - tile_rows.begin * lanes_;
    if (role == MapRole::kOutput) {
      winograd_to_output(from, first, part.size(), at.lattice);
      write_output(map, tile_rows, part, maps, at);
      return;
    }
    const std::size_t rows = tile_rows.size();
    const bool is_whole = part.size() == rows * lanes_;
    for (std::size_t n = 0; n < kInputPlanes; ++n) {
      float* const plane = at.lattice.data + n * stride;
      if (begun)  // the last strip's lowest row
        std::memmove(plane, plane + strip_ * lanes_, lanes_ * sizeof(float));
      else
        clear(plane, plane + lanes_);
      if (!is_whole) clear(plane + lanes_, plane + (rows + 1) * lanes_);
    }
    begun = true;
    winograd_to_input(from, first, part.size(), at.lattice);
    const bool is_last = tile_rows.end * lanes_ >= columns.end;
    write_input(map, {0, rows + (is_last ? 1 : 0)}, tile_rows.begin, adds_to_input(columns), maps,
                at);
  });
}

void WinogradSpectrum::transform_weights(const float* weights, std::size_t kernel, std::size_t,
                                         float* row, std::size_t plane_stride, bool streamed,
                                         float* work) const {
  const std::size_t channels = size(p_.in_channels);
  const float* const taps = weights + kernel * channels * kTaps;
  for (std::size_t n = 0; n < channels; n += kFftLanes) {
    gather_taps(taps + n * kTaps, kTaps, std::min(kFftLanes, channels - n), work);
    winograd_from_weights(work, {row + n, plane_stride, kFftLanes, streamed});
  }
  if (streamed) flush_streams();
}

void WinogradSpectrum::restore_weights(const float* row, std::size_t plane_stride,
                                       std::size_t kernel, std::size_t, std::size_t, float* weights,
                                       float* work) const {
  const std::size_t channels = size(p_.in_channels);
  float* const taps = weights + kernel * channels * kTaps;
  for (std::size_t n = 0; n < channels; n += kFftLanes) {
    winograd_to_weights({row + n, plane_stride}, work);
    scatter_taps(work, kTaps, std::min(kFftLanes, channels - n), taps + n * kTaps);
  }
}

}  // namespace convoy
