// Transforms of all sizes against their definition, and spectra of maps and weights, with every
// instruction set that this processor has.
#include <QTest>
#include <cmath>
#include <complex>
#include <numbers>
#include <vector>

#include "engine/base/random.h"
#include "engine/conv/fft_spectrum.h"
#include "engine/conv/fft_transform.h"
#include "engine/conv/spectral_blocking.h"
#include "engine/tensor/buffer.h"
#include "tests/conv/instruction_sets.h"

using namespace convoy;

namespace {

using Complex = std::complex<double>;

void fill(FloatBuffer& buffer, Random& random) {
  for (float& value : buffer.span()) value = static_cast<float>(random.uniform(-1, 1));
}

bool is_own_negative(std::size_t k, std::size_t size) {
  return k == 0 || 2 * k == size;
}

// One circle each way, with lanes of tiles: rows x columns points, at places of their own.
struct Tiles {
  std::size_t height, width;
  FftSpan rows, columns;
  FloatBuffer values;

  Tiles(std::size_t height_of_circle, std::size_t width_of_circle, Random& random)
      : height(height_of_circle), width(width_of_circle) {
    const auto span = [&](std::size_t size) {
      return FftSpan{random.below(size), 1 + random.below(size), 0};
    };
    rows = span(height);
    columns = span(width);
    columns.stride = kFftLanes * (1 + random.below(2));
    rows.stride = columns.count * columns.stride + 3 * kFftLanes;
    values.resize(rows.count * rows.stride);
    fill(values, random);
  }
  // The point (y, x) of the circles; null where there is none.
  float* at(std::size_t y, std::size_t x, std::size_t lane) {
    const std::size_t row = (y + height - rows.at) % height;
    const std::size_t column = (x + width - columns.at) % width;
    if (row >= rows.count || column >= columns.count) return nullptr;
    return values.data() + row * rows.stride + column * columns.stride + lane;
  }
  double value(std::size_t y, std::size_t x, std::size_t lane) {
    const float* const p = at(y, x, lane);
    return p ? *p : 0.0;
  }
};

// Planes of the spectrum of one lane, by the definition and the order that fft_transform.h states.
std::vector<double> expected_planes(Tiles& tiles, std::size_t lane) {
  const std::size_t height = tiles.height, width = tiles.width;
  const auto turn = [](std::size_t n, std::size_t size) {
    return std::polar(
        1.0, -2 * std::numbers::pi * static_cast<double>(n % size) / static_cast<double>(size));
  };
  std::vector<Complex> rows(height * width);  // transformed along the rows
  for (std::size_t y = 0; y < height; ++y)
    for (std::size_t m = 0; m < width; ++m)
      for (std::size_t x = 0; x < width; ++x)
        rows[y * width + m] += tiles.value(y, x, lane) * turn(m * x, width);
  const auto point = [&](std::size_t k, std::size_t m) {
    Complex sum = 0;
    for (std::size_t y = 0; y < height; ++y) sum += rows[y * width + m] * turn(k * y, height);
    return sum;
  };
  std::vector<double> planes(height * width, NAN);
  for (std::size_t k = 0; k <= height / 2; ++k)
    for (std::size_t m = 0; m <= width / 2; ++m) {
      const Complex f = point(k, m);
      const std::size_t k_sine = height / 2 + k, m_sine = width / 2 + m;
      planes[k * width + m] = f.real();
      if (!is_own_negative(k, height)) {
        planes[k_sine * width + m] = f.imag();
        if (!is_own_negative(m, width)) {
          const Complex mirror = point(height - k, m);
          planes[k_sine * width + m_sine] = mirror.real();
          planes[k * width + m_sine] = mirror.imag();
        }
      } else if (!is_own_negative(m, width)) {
        planes[k * width + m_sine] = f.imag();
      }
    }
  return planes;
}

}  // namespace

class FftTransformTest : public QObject {
  Q_OBJECT

 private slots:
  void cleanup() { choose_all_instruction_sets(); }

  void all_sizes_there_and_back_data() { add_instruction_sets(); }
  void all_sizes_there_and_back() {
    QFETCH(qint64, target);
    choose_instruction_set(target);
    constexpr std::uint64_t kSeed = 7;
    Random random(kSeed);
    for (int n = 0; n < 3 * kLargestFft; ++n) {
      const auto height = static_cast<std::size_t>(1 + n % kLargestFft);
      const auto width = static_cast<std::size_t>(1 + random.below(kLargestFft));
      const FftTransform transform(static_cast<int>(height), static_cast<int>(width));
      Tiles tiles(height, width, random);
      const std::size_t stride = 3 * kFftLanes;
      FloatBuffer spectrum(transform.planes() * stride), work(transform.work_floats());
      const FftAhead ahead{tiles.values.data(), 2, tiles.rows.stride / 2, 1, 0};
      const bool streamed = transform.streams() && random.below(2) == 0;
      transform.forward(tiles.values.data(), tiles.rows, tiles.columns, spectrum.data(), stride,
                        streamed, ahead, work.data());
      flush_streams();
      const double tolerance = 2e-6 * std::sqrt(static_cast<double>(transform.planes())) + 1e-6;
      for (const std::size_t lane : {std::size_t{0}, std::size_t{random.below(kFftLanes)}}) {
        const std::vector<double> expected = expected_planes(tiles, lane);
        for (std::size_t p = 0; p < transform.planes(); ++p)
          QVERIFY2(std::abs(spectrum[p * stride + lane] - expected[p]) <= tolerance,
                   qPrintable(QString("%1 x %2, plane %3, lane %4: %5 instead of %6, seed %7")
                                  .arg(height)
                                  .arg(width)
                                  .arg(p)
                                  .arg(lane)
                                  .arg(spectrum[p * stride + lane])
                                  .arg(expected[p])
                                  .arg(kSeed)));
      }
      // Back, to points of other places.
      Tiles back(height, width, random);
      Tiles before = Tiles(height, width, random);
      before.rows = back.rows;
      before.columns = back.columns;
      before.values.resize(back.values.size());
      std::copy_n(back.values.data(), back.values.size(), before.values.data());
      const auto store = static_cast<FftStore>(random.below(transform.streams() ? 3 : 2));
      transform.inverse(spectrum.data(), stride, back.rows, back.columns, store, back.values.data(),
                        ahead, work.data());
      flush_streams();
      for (std::size_t y = 0; y < height; ++y)
        for (std::size_t x = 0; x < width; ++x)
          for (std::size_t lane = 0; lane < kFftLanes; ++lane) {
            const float* const p = back.at(y, x, lane);
            if (!p) continue;
            const double added = store == FftStore::kAdd ? before.value(y, x, lane) : 0.0;
            QVERIFY2(std::abs(*p - added - tiles.value(y, x, lane)) <= 2e-6,
                     qPrintable(QString("%1 x %2, point %3 %4, lane %5: %6 instead of %7, seed %8")
                                    .arg(height)
                                    .arg(width)
                                    .arg(y)
                                    .arg(x)
                                    .arg(lane)
                                    .arg(*p - added)
                                    .arg(tiles.value(y, x, lane))
                                    .arg(kSeed)));
          }
    }
  }

  // Written around the caches, or by lanes at any place, spectra are the same; and maps and weights
  // come back from them.
  void spectra_of_maps_and_weights_data() { add_instruction_sets(); }
  void spectra_of_maps_and_weights() {
    QFETCH(qint64, target);
    choose_instruction_set(target);
    constexpr std::uint64_t kSeed = 8;
    Random random(kSeed);
    for (const int batch : {16, 21, 160}) {
      ConvProblem p;
      p.batch = batch;
      p.in_channels = 150;  // in two parts, the second not of whole lanes
      p.out_channels = 2;
      p.in_height = 9;
      p.in_width = 7;
      p.kernel_height = 3;
      p.kernel_width = 5;
      p.padding = {1, 2, 1, 2};
      for (const int size : {12, 6}) {  // one tile, and two of several
        const FftGeometry geometry{
            *make_fft_axis(size, p.in_height, p.out_height(), p.kernel_height, p.padding.top),
            *make_fft_axis(12, p.in_width, p.out_width(), p.kernel_width, p.padding.left)};
        const FftSpectrum spectrum(p, geometry);
        const auto columns = static_cast<std::size_t>(geometry.tiles() * batch);
        const std::size_t planes = geometry.planes();
        FloatBuffer work(spectrum.shape().work_floats);
        const std::size_t row = SpectralBlocking::row_stride(columns);
        const std::size_t stride = SpectralBlocking::plane_stride(2, columns);
        FloatBuffer maps(p.output_size()), back(p.output_size());
        fill(maps, random);
        FloatBuffer plain(planes * stride), streamed(planes * stride);
        for (std::size_t n = 0; n < 2; ++n) {
          spectrum.transform_map(MapRole::kOutput, maps.data(), n, 1 - n, {0, columns},
                                 plain.data() + n * row, stride, false, work.data());
          spectrum.transform_map(MapRole::kOutput, maps.data(), n, 1 - n, {0, columns},
                                 streamed.data() + n * row, stride, true, work.data());
        }
        for (std::size_t plane = 0; plane < planes; ++plane)
          for (std::size_t n = 0; n < 2; ++n)
            for (std::size_t column = 0; column < columns; ++column) {
              const std::size_t at = plane * stride + n * row + column;
              QCOMPARE(streamed[at], plain[at]);
            }
        for (std::size_t n = 0; n < 2; ++n)
          spectrum.restore_map(MapRole::kOutput, plain.data() + n * row, stride, n, 1 - n,
                               {0, columns}, back.data(), n == 1, work.data());
        for (std::size_t n = 0; n < maps.size(); ++n)
          QVERIFY2(std::abs(back[n] - maps[n]) <= 2e-6, qPrintable(QString::number(n)));

        const std::size_t weight_row = SpectralBlocking::row_stride(150),
                          parts = spectrum.weight_parts();
        const std::size_t weight_stride = SpectralBlocking::plane_stride(2, 150);
        FloatBuffer weights(p.weight_size()), weights_back(p.weight_size());
        fill(weights, random);
        FloatBuffer of_weights(planes * weight_stride);
        QCOMPARE(parts, std::size_t{2});
        for (std::size_t n = 0; n < 2 * parts; ++n)
          spectrum.transform_weights(weights.data(), n / parts, n % parts,
                                     of_weights.data() + n / parts * weight_row, weight_stride,
                                     n < 2, work.data());
        for (std::size_t n = 0; n < 2 * parts; ++n)
          spectrum.restore_weights(of_weights.data() + n / parts * weight_row, weight_stride,
                                   n / parts, n % parts, n + 1 < 2 * parts ? 1 : 0,
                                   weights_back.data(), work.data());
        for (std::size_t n = 0; n < weights.size(); ++n)
          QVERIFY2(std::abs(weights_back[n] - weights[n]) <= 2e-6, qPrintable(QString::number(n)));
      }
    }
  }
};

QTEST_GUILESS_MAIN(FftTransformTest)
#include "fft_transform_test.moc"
