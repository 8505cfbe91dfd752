// Spectra of batches that are smaller than the transforms' lanes: neighbouring columns, whichever
// tiles they are of, fill the lanes together, on a circle that holds the points of all of them.
#include <algorithm>

#include "engine/conv/fft_spectrum.h"

namespace convoy {
namespace {

// The points of both; all of the circle where they begin at different places.
FftSpan span_of_both(const FftSpan& a, const FftSpan& b, std::size_t size) {
  if (a.at != b.at) return {0, size, 0};
  return {a.at, std::max(a.count, b.count), 0};
}

// Calls work(begin, end, first) for up to two pieces of a tile's points, and where each begins in
// the span that holds them.
template <class Work>
void for_pieces(const FftSpan& points, const FftSpan& in, std::size_t size, const Work& work) {
  const std::size_t shift = (points.at + size - in.at) % size;
  const std::size_t before = std::min(points.count, size - shift);
  work(std::size_t{0}, before, shift);
  if (before < points.count) work(before, points.count, std::size_t{0});
}

}  // namespace

struct FftSpectrum::MixedTiles {
  std::array<Place, kFftLanes> places;
  std::size_t count;      // of the lanes that have a tile
  FftSpan rows, columns;  // of all of them, [row][column][lane]

  std::size_t points() const { return rows.count * columns.count; }

  // Calls work(point, step, count, n) for pieces of lane l's rows: the first of `count` points in
  // the map, how far they lie apart there, and which of points() it is.
  template <class Work>
  void for_rows(std::size_t l, std::size_t height, std::size_t width, const Work& work) const {
    const Place& at = places[l];
    for_pieces(at.rows, rows, height, [&](std::size_t y, std::size_t end, std::size_t row) {
      for (; y < end; ++y, ++row)
        for_pieces(at.columns, columns, width,
                   [&](std::size_t x, std::size_t end_x, std::size_t column) {
                     work(at.offset + y * at.rows.stride + x * at.columns.stride, at.columns.stride,
                          end_x - x, row * columns.count + column);
                   });
    });
  }
};

FftSpectrum::MixedTiles FftSpectrum::mixed_tiles(MapRole role, std::size_t channel,
                                                 Range columns) const {
  const bool is_input = role == MapRole::kInput;
  const auto& places = places_[static_cast<std::size_t>(role)];
  const auto batch = static_cast<std::size_t>(p_.batch);
  const std::size_t map = is_input ? p_.input_size() / static_cast<std::size_t>(p_.in_channels)
                                   : p_.output_size() / static_cast<std::size_t>(p_.out_channels);
  MixedTiles tiles = {{}, columns.size(), {}, {}};
  for (std::size_t l = 0; l < tiles.count; ++l) {
    const std::size_t column = columns.begin + l;
    Place& place = tiles.places[l] = places[column / batch];
    place.offset += channel * map + column % batch;
    tiles.rows = l == 0 ? place.rows : span_of_both(tiles.rows, place.rows, transform_.height());
    tiles.columns =
        l == 0 ? place.columns : span_of_both(tiles.columns, place.columns, transform_.width());
  }
  tiles.rows.stride = tiles.columns.count * kFftLanes;
  tiles.columns.stride = kFftLanes;
  return tiles;
}

void FftSpectrum::transform_mixed(MapRole role, const float* maps, std::size_t channel,
                                  Range columns, float* row, std::size_t plane_stride,
                                  bool streamed, float* work) const {
  float* const gathered = work + transform_.work_floats();
  float* const staged = gathered + transform_.planes() * kFftLanes;
  const bool direct = !streamed || transform_.streams();
  for (std::size_t column = columns.begin; column < columns.end; column += kFftLanes) {
    const MixedTiles tiles =
        mixed_tiles(role, channel, {column, std::min(columns.end, column + kFftLanes)});
    float* const in_rows = staged;  // [lane][point], until they are gathered
    for (std::size_t l = 0; l < kFftLanes; ++l) {
      float* const points = in_rows + l * tiles.points();
      const bool fills = l < tiles.count && tiles.places[l].rows.count == tiles.rows.count &&
                         tiles.places[l].columns.count == tiles.columns.count;
      if (!fills) std::fill_n(points, tiles.points(), 0.0f);
      if (l >= tiles.count) continue;
      tiles.for_rows(l, transform_.height(), transform_.width(),
                     [&](std::size_t from, std::size_t step, std::size_t count, std::size_t n) {
                       for (std::size_t x = 0; x < count; ++x)
                         points[n + x] = maps[from + x * step];
                     });
    }
    gather_taps(in_rows, tiles.points(), kFftLanes, gathered);
    float* const target = row + (column - columns.begin);
    transform_.forward(gathered, tiles.rows, tiles.columns, direct ? target : staged,
                       direct ? plane_stride : kFftLanes, direct && streamed, {}, work);
    if (!direct)
      spread_lanes(staged, kFftLanes, transform_.planes(), kFftLanes, target, plane_stride,
                   streamed);
  }
  if (streamed) flush_streams();
}

void FftSpectrum::restore_mixed(MapRole role, const float* row, std::size_t plane_stride,
                                std::size_t channel, Range columns, float* maps,
                                float* work) const {
  float* const gathered = work + transform_.work_floats();
  float* const in_rows = gathered + transform_.planes() * kFftLanes;  // [lane][point]
  const bool add = role == MapRole::kInput;
  for (std::size_t column = columns.begin; column < columns.end; column += kFftLanes) {
    const MixedTiles tiles =
        mixed_tiles(role, channel, {column, std::min(columns.end, column + kFftLanes)});
    // Rows begin on whole lines, so that the last lanes may be read too.
    transform_.inverse(row + (column - columns.begin), plane_stride, tiles.rows, tiles.columns,
                       FftStore::kSet, gathered, {}, work);
    scatter_taps(gathered, tiles.points(), kFftLanes, in_rows);
    for (std::size_t l = 0; l < tiles.count; ++l) {
      const float* const points = in_rows + l * tiles.points();
      tiles.for_rows(l, transform_.height(), transform_.width(),
                     [&](std::size_t to, std::size_t step, std::size_t count, std::size_t n) {
                       for (std::size_t x = 0; x < count; ++x) {
                         float& value = maps[to + x * step];
                         value = add ? value + points[n + x] : points[n + x];
                       }
                     });
    }
  }
}

}  // namespace convoy
