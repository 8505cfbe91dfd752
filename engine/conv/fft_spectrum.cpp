#include "engine/conv/fft_spectrum.h"

#include <algorithm>
#include <cstring>

#include "engine/conv/fft_blocking.h"

namespace convoy {
namespace {

std::size_t size(int n) {
  return static_cast<std::size_t>(n);
}

// Calls work(tile, image, count, column) for runs of at most kFftRun images of one tile that cover
// the columns.
template <class Work>
void for_runs(Range columns, std::size_t batch, const Work& work) {
  for (std::size_t column = columns.begin; column < columns.end;) {
    const std::size_t image = column % batch;
    const std::size_t count = std::min({kFftRun, batch - image, columns.end - column});
    work(column / batch, image, count, column - columns.begin);
    column += count;
  }
}

// Lanes beyond `count`, to the next vector, are zero.
void collect(const float* row, std::size_t plane_stride, std::size_t planes, std::size_t count,
             float* staged) {
  const std::size_t whole = (count + kFftLanes - 1) / kFftLanes * kFftLanes;
  for (std::size_t p = 0; p < planes; ++p) {
    float* to = staged + p * kFftRunStride;
    std::memcpy(to, row + p * plane_stride, count * sizeof(float));
    std::fill(to + count, to + whole, 0.0f);
  }
}

}  // namespace

// Offset of the tile's first element, and where its rows and columns lie on the circle.
struct FftSpectrum::Place {
  std::size_t offset;
  FftSpan rows, columns;
};

FftSpectrum::FftSpectrum(const ConvProblem& problem, const FftGeometry& geometry)
    : p_(problem),
      geometry_(geometry),
      transform_(geometry.vertical.size, geometry.horizontal.size) {}

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

void FftSpectrum::transform_map(MapRole role, const float* maps, std::size_t channel, Range columns,
                                float* row, std::size_t plane_stride, bool streamed,
                                float* work) const {
  float* const gathered = work + transform_.work_floats();
  float* const staged = gathered + transform_.planes() * kFftLanes;
  for_runs(columns, size(p_.batch),
           [&](std::size_t tile, std::size_t image, std::size_t count, std::size_t column) {
             const Place at = place(role, channel, tile);
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
               transform_.forward(source, rows, across, staged + n, kFftRunStride, work);
             }
             spread_lanes(staged, kFftRunStride, transform_.planes(), count, row + column,
                          plane_stride, streamed);
           });
}

void FftSpectrum::restore_map(MapRole role, const float* row, std::size_t plane_stride,
                              std::size_t channel, Range columns, float* maps, float* work) const {
  float* const gathered = work + transform_.work_floats();
  float* const staged = gathered + transform_.planes() * kFftLanes;
  const bool add = role == MapRole::kInput && geometry_.tiles() > 1;
  for_runs(columns, size(p_.batch),
           [&](std::size_t tile, std::size_t image, std::size_t count, std::size_t column) {
             const Place at = place(role, channel, tile);
             collect(row + column, plane_stride, transform_.planes(), count, staged);
             for (std::size_t n = 0; n < count; n += kFftLanes) {
               float* const target = maps + at.offset + image + n;
               const std::size_t lanes = std::min(kFftLanes, count - n);
               if (lanes == kFftLanes) {
                 transform_.inverse(staged + n, kFftRunStride, at.rows, at.columns, add, target,
                                    work);
                 continue;
               }
               FftSpan rows = at.rows, across = at.columns;
               rows.stride = across.count * kFftLanes;
               across.stride = kFftLanes;
               transform_.inverse(staged + n, kFftRunStride, rows, across, false, gathered, work);
               for (std::size_t y = 0; y < rows.count; ++y)
                 for (std::size_t x = 0; x < across.count; ++x) {
                   const float* from = gathered + (y * across.count + x) * kFftLanes;
                   float* to = target + y * at.rows.stride + x * at.columns.stride;
                   for (std::size_t lane = 0; lane < lanes; ++lane)
                     to[lane] = add ? to[lane] + from[lane] : from[lane];
                 }
             }
           });
}

std::size_t FftSpectrum::weight_parts() const {
  return (size(p_.in_channels) + kFftRun - 1) / kFftRun;
}

// The taps of up to kFftRun input channels of one kernel, and their layout once gathered in lanes.
struct FftSpectrum::WeightPart {
  std::size_t first_channel, channels, taps;
  std::size_t offset;  // in the weights
  FftSpan rows, columns;
};

FftSpectrum::WeightPart FftSpectrum::weight_part(std::size_t kernel, std::size_t part) const {
  const std::size_t channels = size(p_.in_channels), begin = part * kFftRun;
  const std::size_t height = size(p_.kernel_height), width = size(p_.kernel_width);
  return {begin,
          std::min(kFftRun, channels - begin),
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
  for (std::size_t n = 0; n < at.channels; n += kFftLanes) {
    const std::size_t lanes = std::min(kFftLanes, at.channels - n);
    const float* source = weights + at.offset + n * at.taps;
    for (std::size_t tap = 0; tap < at.taps; ++tap) {
      float* const to = gathered + tap * kFftLanes;
      for (std::size_t lane = 0; lane < lanes; ++lane) to[lane] = source[lane * at.taps + tap];
      std::fill(to + lanes, to + kFftLanes, 0.0f);
    }
    transform_.forward(gathered, at.rows, at.columns, staged + n, kFftRunStride, work);
  }
  spread_lanes(staged, kFftRunStride, transform_.planes(),
               (at.channels + kFftLanes - 1) / kFftLanes * kFftLanes, row + at.first_channel,
               plane_stride, streamed);
}

void FftSpectrum::restore_weights(const float* row, std::size_t plane_stride, std::size_t kernel,
                                  std::size_t part, float* weights, float* work) const {
  float* const gathered = work + transform_.work_floats();
  float* const staged = gathered + transform_.planes() * kFftLanes;
  const WeightPart at = weight_part(kernel, part);
  collect(row + at.first_channel, plane_stride, transform_.planes(), at.channels, staged);
  for (std::size_t n = 0; n < at.channels; n += kFftLanes) {
    const std::size_t lanes = std::min(kFftLanes, at.channels - n);
    transform_.inverse(staged + n, kFftRunStride, at.rows, at.columns, false, gathered, work);
    float* const target = weights + at.offset + n * at.taps;
    for (std::size_t lane = 0; lane < lanes; ++lane)
      for (std::size_t tap = 0; tap < at.taps; ++tap)
        target[lane * at.taps + tap] = gathered[tap * kFftLanes + lane];
  }
}

}  // namespace convoy
