// The fused loops against their definitions, one value at a time.
#include <QtTest>
#include <algorithm>
#include <cmath>
#include <limits>

#include "engine/base/random.h"
#include "engine/tensor/buffer.h"
#include "engine/tensor/elementwise.h"

using namespace convoy;

namespace {

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

struct Pooled {
  std::vector<float> values;
  std::vector<std::uint8_t> choices;
};

// ReLU, then pooling that takes the first largest in scan order, as PyTorch does one after the
// other.
Pooled pool_by_definition(const std::vector<float>& maps, float bias, const MapShape& shape) {
  Pooled pooled;
  for (std::size_t y = 0; y + 1 < shape.height; y += 2)
    for (std::size_t x = 0; x + 1 < shape.width; x += 2)
      for (std::size_t n = 0; n < shape.batch; ++n) {
        float most = -1.0f;
        std::uint8_t choice = kNoChoice;
        for (std::uint8_t i = 0; i < 4; ++i) {
          const std::size_t at = ((y + i / 2) * shape.width + x + i % 2) * shape.batch + n;
          const float rectified = std::max(maps[at] + bias, 0.0f);
          if (rectified > most) {
            most = rectified;
            choice = rectified > 0.0f ? i : kNoChoice;
          }
        }
        pooled.values.push_back(most);
        pooled.choices.push_back(choice);
      }
  return pooled;
}

// Few distinct values, so that windows have ties, zeros and negative maxima.
std::vector<float> maps_with_ties(const MapShape& shape, Random& random) {
  std::vector<float> maps(shape.size());
  for (float& value : maps) value = static_cast<float>(random.below(5)) - 3.0f;
  return maps;
}

}  // namespace

class ElementwiseTest : public QObject {
  Q_OBJECT

 private slots:
  void shapes_data() {
    QTest::addColumn<int>("height");
    QTest::addColumn<int>("width");
    QTest::addColumn<int>("batch");
    for (const int batch : {1, 2, 3, 4, 5, 7, 8, 15, 16, 17, 19, 31, 32, 37, 64, 67})
      for (const auto& [height, width] : {std::pair{2, 2}, {3, 2}, {2, 3}, {7, 5}, {6, 8}})
        QTest::addRow("%dx%d, batch %d", height, width, batch) << height << width << batch;
  }

  void pooling_data() { shapes_data(); }
  void pooling() {
    QFETCH(int, height);
    QFETCH(int, width);
    QFETCH(int, batch);
    const MapShape shape{static_cast<std::size_t>(height), static_cast<std::size_t>(width),
                         static_cast<std::size_t>(batch)};
    Random random(11);
    const std::vector<float> maps = maps_with_ties(shape, random);
    const Pooled expected = pool_by_definition(maps, 1.0f, shape);
    for (const CacheUse cache_use : {CacheUse::kKeep, CacheUse::kBypass}) {
      // Aligned, as stores past the caches want it. One more element shows a write beyond the end.
      FloatBuffer values(shape.pooled_size() + 1);
      std::fill_n(values.data(), values.size(), kNan);
      std::vector<std::uint8_t> choices(shape.pooled_size() + 1, 99);
      bias_relu_pool(maps.data(), 1.0f, shape, cache_use, values.data(), choices.data());
      QVERIFY(std::isnan(values[shape.pooled_size()]));
      QCOMPARE(choices.back(), std::uint8_t{99});
      choices.pop_back();
      QVERIFY(std::ranges::equal(values.span().first(shape.pooled_size()), expected.values));
      QVERIFY(choices == expected.choices);

      FloatBuffer without_choices(shape.pooled_size());
      bias_relu_pool(maps.data(), 1.0f, shape, cache_use, without_choices.data(), nullptr);
      QVERIFY(std::ranges::equal(without_choices.span(), expected.values));
    }
  }

  void unpooling_data() { shapes_data(); }
  void unpooling() {
    QFETCH(int, height);
    QFETCH(int, width);
    QFETCH(int, batch);
    const MapShape shape{static_cast<std::size_t>(height), static_cast<std::size_t>(width),
                         static_cast<std::size_t>(batch)};
    Random random(12);
    std::vector<float> grad_pooled(shape.pooled_size());
    std::vector<std::uint8_t> choices(shape.pooled_size());
    // Multiples of 1/8: their sums are exact, whatever the order.
    for (float& value : grad_pooled) value = static_cast<float>(random.below(33)) / 8.0f - 2.0f;
    for (auto& choice : choices) choice = static_cast<std::uint8_t>(random.below(5));

    std::vector<float> expected(shape.size(), 0.0f);
    double bias = 0.0;
    std::size_t window = 0;
    for (std::size_t y = 0; y + 1 < shape.height; y += 2)
      for (std::size_t x = 0; x + 1 < shape.width; x += 2)
        for (std::size_t n = 0; n < shape.batch; ++n, ++window) {
          const std::uint8_t choice = choices[window];
          if (choice == kNoChoice) continue;
          expected[((y + choice / 2) * shape.width + x + choice % 2) * shape.batch + n] =
              grad_pooled[window];
          bias += static_cast<double>(grad_pooled[window]);
        }

    for (const CacheUse cache_use : {CacheUse::kKeep, CacheUse::kBypass}) {
      FloatBuffer grad_maps(shape.size() + 1);  // aligned, as stores past the caches want it
      std::fill_n(grad_maps.data(), grad_maps.size(), kNan);
      const double grad_bias = bias_relu_pool_backward(grad_pooled.data(), choices.data(), shape,
                                                       cache_use, grad_maps.data());
      QVERIFY(std::isnan(grad_maps[shape.size()]));
      QVERIFY(std::ranges::equal(grad_maps.span().first(shape.size()), expected));
      QCOMPARE(grad_bias, bias);
    }
  }

  // A channel's results may begin anywhere.
  void unaligned_results() {
    const MapShape shape{4, 4, 64};
    const std::vector<float> maps(shape.size(), 3.0f);
    FloatBuffer pooled(shape.pooled_size() + 1);
    std::vector<std::uint8_t> choices(shape.pooled_size() + 1, 99);
    bias_relu_pool(maps.data(), 1.0f, shape, CacheUse::kBypass, pooled.data() + 1,
                   choices.data() + 1);
    QVERIFY(std::ranges::count(pooled.span().subspan(1), 4.0f) == 256);
    QCOMPARE(std::ranges::count(choices, 0), 256);
    QCOMPARE(int{choices[0]}, 99);
  }
  void unaligned_maps() {
    const MapShape shape{4, 4, 64};
    const std::vector<float> grad_pooled(shape.pooled_size(), 1.0f);
    const std::vector<std::uint8_t> choices(shape.pooled_size(), 3);
    FloatBuffer grad_maps(shape.size() + 1);
    const double grad_bias = bias_relu_pool_backward(grad_pooled.data(), choices.data(), shape,
                                                     CacheUse::kBypass, grad_maps.data() + 1);
    QCOMPARE(grad_bias, 256.0);
    QCOMPARE(grad_maps[1], 0.0f);
    QCOMPARE(grad_maps[1 + 5 * 64], 1.0f);
  }

  // At zero ReLU has no gradient, and the first of equal values takes it all.
  void ties_and_zeros_data() {
    QTest::addColumn<QList<float>>("window");
    QTest::addColumn<int>("choice");
    QTest::newRow("all equal") << QList<float>{2, 2, 2, 2} << 0;
    QTest::newRow("last two equal") << QList<float>{1, 1, 2, 2} << 2;
    QTest::newRow("last wins") << QList<float>{-1, 0, 1, 2} << 3;
    QTest::newRow("all zero") << QList<float>{0, 0, 0, 0} << int{kNoChoice};
    QTest::newRow("negative zero") << QList<float>{-0.0f, -0.0f, -1, -2} << int{kNoChoice};
    QTest::newRow("all negative") << QList<float>{-4, -3, -2, -1} << int{kNoChoice};
    QTest::newRow("smallest positive")
        << QList<float>{0, std::numeric_limits<float>::denorm_min(), 0, 0} << 1;
  }
  void ties_and_zeros() {
    QFETCH(QList<float>, window);
    QFETCH(int, choice);
    float pooled = -1.0f;
    std::uint8_t chosen = 99;
    bias_relu_pool(window.constData(), 0.0f, {2, 2, 1}, CacheUse::kKeep, &pooled, &chosen);
    QCOMPARE(int{chosen}, choice);
    QCOMPARE(pooled, choice == kNoChoice ? 0.0f : window[choice]);
  }

  // The sum with the bias decides: values that differ before it may be equal after it.
  void bias_before_comparison() {
    const float maps[] = {1.0f, 1.0f + 0x1p-22f, 0.0f, 0.0f};
    float pooled = 0.0f;
    std::uint8_t chosen = 99;
    bias_relu_pool(maps, 1024.0f, {2, 2, 1}, CacheUse::kKeep, &pooled, &chosen);
    QCOMPARE(int{chosen}, 0);
    bias_relu_pool(maps, 0.0f, {2, 2, 1}, CacheUse::kKeep, &pooled, &chosen);
    QCOMPARE(int{chosen}, 1);
  }

  void nan_stays() {
    for (std::size_t place = 0; place < 4; ++place) {
      std::vector<float> maps(4 * 17, 1.0f);
      for (std::size_t n = 0; n < 17; ++n) maps[place * 17 + n] = kNan;
      std::vector<float> pooled(17);
      std::vector<std::uint8_t> choices(17);
      bias_relu_pool(maps.data(), 0.0f, {2, 2, 17}, CacheUse::kKeep, pooled.data(), choices.data());
      for (std::size_t n = 0; n < 17; ++n) {
        QVERIFY(std::isnan(pooled[n]));
        QCOMPARE(std::size_t{choices[n]}, place);
      }
    }
  }

  // Large maps of equal gradients: a plain sum in single precision would lose the small ones.
  void bias_gradient_is_accurate() {
    const MapShape shape{512, 512, 64};
    const std::vector<float> grad_pooled(shape.pooled_size(), 0.1f);
    const std::vector<std::uint8_t> choices(shape.pooled_size(), 0);
    std::vector<float> grad_maps(shape.size());
    const double sum = bias_relu_pool_backward(grad_pooled.data(), choices.data(), shape,
                                               CacheUse::kKeep, grad_maps.data());
    const double expected = static_cast<double>(0.1f) * static_cast<double>(shape.pooled_size());
    QVERIFY(std::abs(sum - expected) <= 1e-5 * expected);
  }

  void sgd_formula() {
    Random random(13);
    for (const std::size_t count : {1U, 3U, 16U, 33U, 100U}) {
      std::vector<float> weight(count), velocity(count), gradient(count);
      for (auto* values : {&weight, &velocity, &gradient})
        for (float& value : *values) value = static_cast<float>(random.normal());
      const std::vector<float> old_weight = weight, old_velocity = velocity;
      sgd_update({0.1f, 0.9f, 0.01f}, gradient.data(), count, velocity.data(), weight.data());
      for (std::size_t i = 0; i < count; ++i) {
        const double v = 0.9 * static_cast<double>(old_velocity[i]) +
                         static_cast<double>(gradient[i]) +
                         0.01 * static_cast<double>(old_weight[i]);
        QVERIFY(std::abs(static_cast<double>(velocity[i]) - v) <= 1e-6);
        QVERIFY(std::abs(static_cast<double>(weight[i]) -
                         (static_cast<double>(old_weight[i]) - 0.1 * v)) <= 1e-6);
      }
    }
  }
};

QTEST_GUILESS_MAIN(ElementwiseTest)
#include "elementwise_test.moc"
