#include "engine/conv/fft_spectrum.h"

#include <algorithm>
#include <cstdint>
#include <cstring>

#include "engine/conv/product_panel.h"
#include "engine/conv/spectral_blocking.h"

namespace convoy {
namespace {

std::size_t size(int n) {
  return static_cast<std::size_t>(n);
}

// Calls work(tile, image, count, column) for runs of at most kSpectrumRun images of one tile that
// cover the columns.
template <class Work>
void for_runs(Range columns, std::size_t batch, const Work& work) {
  for (std::size_t column = columns.begin; column < columns.end;) {
    const std::size_t image = column % batch;
    const std::size_t count = std::min({kSpectrumRun, batch - image, columns.end - column});
    work(column / batch, image, count, column - columns.begin);
    column += count;
  }
}

bool is_on_line(const float* p) {
  return reinterpret_cast<std::uintptr_t>(p) % (kFftLanes * sizeof(float)) == 0;
}

// Lanes beyond `count` are zero.
void collect(const float* row, std::size_t plane_stride, std::size_t planes, std::size_t count,
             float* lanes) {
  for (std::size_t p = 0; p < planes; ++p, lanes += kFftLanes) {
    std::memcpy(lanes, row + p * plane_stride, count * sizeof(float));
    std::fill(lanes + count, lanes + kFftLanes, 0.0f);
  }
}

}  // namespace

FftSpectrum::FftSpectrum(const ConvProblem& problem, const FftGeometry& geometry)
    : p_(problem),
      geometry_(geometry),
      transform_(geometry.vertical.size, geometry.horizontal.size) {
  const int tiles = geometry_.tiles();
  if (!fft_mixes_tiles(problem.batch, tiles)) return;
  for (const MapRole role : {MapRole::kInput, MapRole::kOutput})
    for (int tile = 0; tile < tiles; ++tile)
      places_[static_cast<std::size_t>(role)].push_back(place(role, 0, size(tile)));
}

SpectrumShape FftSpectrum::shape() const {
  // A transform's work space, a gathered tile and the staged run.
  const std::size_t planes = geometry_.planes();
  return {planes, size(geometry_.tiles()), geometry_.products(),
          planes * (2 * kFftLanes + kFftRunStride), kInnerRun};
}

std::vector<SpectrumPoint> FftSpectrum::points() const {
  return fft_points(geometry_.vertical.size, geometry_.horizontal.size);
}

FftSpectrum::Place FftSpectrum::place(MapRole role, std::size_t channel, std::size_t tile) const {
  const auto across = size(geometry_.horizontal.tiles());
  const FftTile v = geometry_.vertical.tile(static_cast<int>(tile / across));
  const FftTile h = geometry_.horizontal.tile(static_cast<int>(tile % across));
  const bool is_input = role == MapRole::kInput;
  const auto height = size(is_input ? p_.in_height : p_.out_height());
  const auto width = size(is_input ? p_.in_width : p_.out_width());
  const auto row = size(is_input ? v.first_input : v.first_output);
  const auto column = size(is_input ? h.first_input : h.first_output);
  const auto span = [&](const FftTile& t, std::size_t stride) {
    return is_input ? FftSpan{0, size(t.inputs), stride}
                    : FftSpan{size(t.output_at), size(t.outputs), stride};
  };
  const std::size_t batch = size(p_.batch);
  return {((channel * height + row) * width + column) * batch, span(v, width * batch),
          span(h, batch)};
}

// The next images of a tile, or the first of the next one, or of the next map.
FftAhead FftSpectrum::next_tiles(MapRole role, const float* maps, std::size_t channel,
                                 std::size_t column, Range columns, std::size_t ahead) const {
  column += kFftLanes;
  const std::size_t batch = size(p_.batch);
  if (column / batch != (column - kFftLanes) / batch) column = column / batch * batch;
  if (column >= columns.end) {
    if (ahead == 0) return {};
    channel += ahead;
    column = columns.begin;
  }
  const Place at = place(role, channel, column / batch);
  return {maps + at.offset + column % batch, at.rows.count, at.rows.stride, at.columns.count,
          at.columns.stride};
}

// The next lanes of a row, or the first of the next one.
FftAhead FftSpectrum::next_lanes(const float* row, std::size_t column, std::size_t columns,
                                 std::size_t plane_stride, std::size_t ahead_floats) const {
  column += kFftLanes;
  if (column >= columns) {
    if (ahead_floats == 0) return {};
    column = ahead_floats;
  }
  const std::size_t width = transform_.width();
  return {row + column, transform_.height(), width * plane_stride, width, plane_stride};
}

void FftSpectrum::transform_map(MapRole role, const float* maps, std::size_t channel,
                                std::size_t ahead, Range columns, float* row,
                                std::size_t plane_stride, bool streamed, float* work) const {
  if (mixes_tiles())
    return transform_mixed(role, maps, channel, columns, row, plane_stride, streamed, work);
  float* const gathered = work + transform_.work_floats();
  float* const staged = gathered + transform_.planes() * kFftLanes;
  for_runs(columns, size(p_.batch),
           [&](std::size_t tile, std::size_t image, std::size_t count, std::size_t column) {
             const Place at = place(role, channel, tile);
             // What is written beyond the run's end comes before the next run, or the row's end.
             const bool direct = is_on_line(row + column) && (!streamed || transform_.streams());
             for (std::size_t n = 0; n < count; n += kFftLanes) {
               const float* source = maps + at.offset + image + n;
               FftSpan rows = at.rows, across = at.columns;
               const std::size_t lanes = std::min(kFftLanes, count - n);
               if (lanes < kFftLanes) {
                 for (std::size_t y = 0; y < rows.count; ++y)
                   for (std::size_t x = 0; x < across.count; ++x) {
                     float* to = gathered + (y * across.count + x) * kFftLanes;
                     std::memcpy(to, source + y * rows.stride + x * across.stride,
                                 lanes * sizeof(float));
                     std::fill(to + lanes, to + kFftLanes, 0.0f);
                   }
                 source = gathered;
                 rows.stride = across.count * kFftLanes;
                 across.stride = kFftLanes;
               }
               transform_.forward(
                   source, rows, across, direct ? row + column + n : staged + n,
                   direct ? plane_stride : kFftRunStride, direct && streamed,
                   next_tiles(role, maps, channel, columns.begin + column + n, columns, ahead),
                   work);
             }
             if (!direct)
               spread_lanes(staged, kFftRunStride, transform_.planes(), count, row + column,
                            plane_stride, streamed);
           });
  if (streamed) flush_streams();
}

void FftSpectrum::restore_map(MapRole role, const float* row, std::size_t plane_stride,
                              std::size_t channel, std::size_t ahead, Range columns, float* maps,
                              bool streamed, float* work) const {
  if (mixes_tiles()) return restore_mixed(role, row, plane_stride, channel, columns, maps, work);
  float* const gathered = work + transform_.work_floats();
  float* const collected = gathered + transform_.planes() * kFftLanes;
  const bool add = role == MapRole::kInput && adds_to_input(columns);
  const bool stream = streamed && !add && transform_.streams();
  const std::size_t ahead_floats = ahead * SpectralBlocking::row_stride(columns.size());
  for_runs(columns, size(p_.batch),
           [&](std::size_t tile, std::size_t image, std::size_t count, std::size_t column) {
             const Place at = place(role, channel, tile);
             for (std::size_t n = 0; n < count; n += kFftLanes) {
               const float* const source = row + column + n;
               float* const target = maps + at.offset + image + n;
               const std::size_t lanes = std::min(kFftLanes, count - n);
               const FftAhead next =
                   next_lanes(row, column + n, columns.size(), plane_stride, ahead_floats);
               if (lanes == kFftLanes) {
                 const bool on_lines = is_on_line(target) && at.columns.stride % kFftLanes == 0;
                 const FftStore store = add                  ? FftStore::kAdd
                                        : stream && on_lines ? FftStore::kStream
                                                             : FftStore::kSet;
                 transform_.inverse(source, plane_stride, at.rows, at.columns, store, target, next,
                                    work);
                 continue;
               }
               FftSpan rows = at.rows, across = at.columns;
               rows.stride = across.count * kFftLanes;
               across.stride = kFftLanes;
               collect(source, plane_stride, transform_.planes(), lanes, collected);
               transform_.inverse(collected, kFftLanes, rows, across, FftStore::kSet, gathered,
                                  next, work);
               for (std::size_t y = 0; y < rows.count; ++y)
                 for (std::size_t x = 0; x < across.count; ++x) {
                   const float* from = gathered + (y * across.count + x) * kFftLanes;
                   float* to = target + y * at.rows.stride + x * at.columns.stride;
                   for (std::size_t lane = 0; lane < lanes; ++lane)
                     to[lane] = add ? to[lane] + from[lane] : from[lane];
                 }
             }
           });
  if (stream) flush_streams();
}

std::size_t FftSpectrum::weight_parts() const {
  return (size(p_.in_channels) + kSpectrumRun - 1) / kSpectrumRun;
}

// The taps of up to kSpectrumRun input channels of one kernel, and their layout once gathered in
// lanes.
struct FftSpectrum::WeightPart {
  std::size_t first_channel, channels, taps;
  std::size_t offset;  // in the weights
  FftSpan rows, columns;
};

FftSpectrum::WeightPart FftSpectrum::weight_part(std::size_t kernel, std::size_t part) const {
  const std::size_t channels = size(p_.in_channels), begin = part * kSpectrumRun;
  const std::size_t height = size(p_.kernel_height), width = size(p_.kernel_width);
  return {begin,
          std::min(kSpectrumRun, channels - begin),
          height * width,
          (kernel * channels + begin) * height * width,
          {0, height, width * kFftLanes},
          {0, width, kFftLanes}};
}

void FftSpectrum::transform_weights(const float* weights, std::size_t kernel, std::size_t part,
                                    float* row, std::size_t plane_stride, bool streamed,
                                    float* work) const {
  float* const gathered = work + transform_.work_floats();
  float* const staged = gathered + transform_.planes() * kFftLanes;
  const WeightPart at = weight_part(kernel, part);
  float* const target = row + at.first_channel;
  const bool direct = !streamed || transform_.streams();
  for (std::size_t n = 0; n < at.channels; n += kFftLanes) {
    gather_taps(weights + at.offset + n * at.taps, at.taps, std::min(kFftLanes, at.channels - n),
                gathered);
    transform_.forward(gathered, at.rows, at.columns, direct ? target + n : staged + n,
                       direct ? plane_stride : kFftRunStride, direct && streamed, {}, work);
  }
  if (!direct)
    spread_lanes(staged, kFftRunStride, transform_.planes(),
                 (at.channels + kFftLanes - 1) / kFftLanes * kFftLanes, target, plane_stride,
                 streamed);
  if (streamed) flush_streams();
}

void FftSpectrum::restore_weights(const float* row, std::size_t plane_stride, std::size_t kernel,
                                  std::size_t part, std::size_t ahead, float* weights,
                                  float* work) const {
  float* const gathered = work + transform_.work_floats();
  const WeightPart at = weight_part(kernel, part);
  const float* const source = row + at.first_channel;
  const std::size_t next = part + ahead, parts = weight_parts();
  const std::size_t ahead_floats =
      ahead == 0 ? 0
                 : next / parts * SpectralBlocking::row_stride(size(p_.in_channels)) +
                       next % parts * kSpectrumRun - part * kSpectrumRun;
  for (std::size_t n = 0; n < at.channels; n += kFftLanes) {
    // Rows begin on whole lines, so that the last lanes may be read too.
    transform_.inverse(source + n, plane_stride, at.rows, at.columns, FftStore::kSet, gathered,
                       next_lanes(source, n, at.channels, plane_stride, ahead_floats), work);
    scatter_taps(gathered, at.taps, std::min(kFftLanes, at.channels - n),
                 weights + at.offset + n * at.taps);
  }
}

}  // namespace convoy
