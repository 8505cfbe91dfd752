#include <QtTest>
#include <algorithm>
#include <cmath>
#include <limits>

#include "engine/network/fully_connected.h"
#include "engine/network/thin_layer.h"
#include "tests/network/executors.h"

using namespace convoy;

namespace {

FloatBuffer random_buffer(std::size_t size, Random& random) {
  FloatBuffer buffer(size);
  for (float& value : buffer.span()) value = static_cast<float>(random.normal());
  return buffer;
}

double at(const FloatBuffer& buffer, std::size_t i) {
  return static_cast<double>(buffer[i]);
}

bool near(float value, double expected, double terms) {
  return std::abs(static_cast<double>(value) - expected) <= 1e-6 * (1.0 + terms);
}

}  // namespace

class FullyConnectedTest : public QObject {
  Q_OBJECT

 private slots:
  // Features below, at and beyond one range of the split; batches with tails.
  void products_data() {
    QTest::addColumn<int>("features");
    QTest::addColumn<int>("classes");
    QTest::addColumn<int>("batch");
    QTest::newRow("tiny") << 1 << 1 << 1;
    QTest::newRow("one range") << 256 << 10 << 5;
    QTest::newRow("range and one") << 257 << 10 << 16;
    QTest::newRow("many ranges") << 3000 << 7 << 17;
    QTest::newRow("long ranges") << 20000 << 3 << 3;
    QTest::newRow("many ranges, few classes") << 3001 << 10 << 37;
    // Every number of classes up to two tiles of them, the most that are done as few, and more;
    // batches too small for that, and with tails.
    for (const int few : {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 32, 33})
      for (const int pictures : {1, 16, 23, 32, 64, 151})
        QTest::addRow("%d classes, batch %d", few, pictures) << 131 << few << pictures;
  }
  void products() {
    QFETCH(int, features);
    QFETCH(int, classes);
    QFETCH(int, batch);
    const auto F = static_cast<std::size_t>(features), C = static_cast<std::size_t>(classes),
               B = static_cast<std::size_t>(batch);
    Random random(21);
    const FloatBuffer x = random_buffer(F * B, random), weight = random_buffer(C * F, random),
                      bias = random_buffer(C, random), grad_logits = random_buffer(C * B, random);
    ThreadPool pool(test_cores(2));
    FullyConnected layer(F, C, B, pool);

    FloatBuffer logits(C * B);
    layer.forward(x.data(), weight, bias, logits.data());
    for (std::size_t c = 0; c < C; ++c)
      for (std::size_t n = 0; n < B; ++n) {
        double sum = at(bias, c);
        for (std::size_t f = 0; f < F; ++f) sum += at(weight, c * F + f) * at(x, f * B + n);
        QVERIFY(near(logits[c * B + n], sum, std::sqrt(static_cast<double>(F)) * 4));
      }

    FloatBuffer maps(F * B), grad_weight(C * F), grad_bias(C);
    std::copy_n(x.data(), x.size(), maps.data());
    layer.backward(grad_logits.data(), weight, maps.data(), grad_weight, grad_bias);
    for (std::size_t f = 0; f < F; ++f) {
      for (std::size_t n = 0; n < B; ++n) {
        double sum = 0.0;
        for (std::size_t c = 0; c < C; ++c)
          sum += at(weight, c * F + f) * at(grad_logits, c * B + n);
        QVERIFY(near(maps[f * B + n], sum, std::sqrt(static_cast<double>(C)) * 4));
      }
      for (std::size_t c = 0; c < C; ++c) {
        double sum = 0.0;
        for (std::size_t n = 0; n < B; ++n) sum += at(grad_logits, c * B + n) * at(x, f * B + n);
        QVERIFY(near(grad_weight[c * F + f], sum, std::sqrt(static_cast<double>(B)) * 4));
      }
    }
    for (std::size_t c = 0; c < C; ++c) {
      double sum = 0.0;
      for (std::size_t n = 0; n < B; ++n) sum += at(grad_logits, c * B + n);
      QVERIFY(near(grad_bias[c], sum, 1));
    }
  }

  // To the last bit.
  void threads_change_nothing() {
    for (const std::size_t classes : {std::size_t{10}, std::size_t{33}}) {
      constexpr std::size_t kFeatures = 3001, kBatch = 37;
      Random random(22);
      const FloatBuffer x = random_buffer(kFeatures * kBatch, random),
                        weight = random_buffer(classes * kFeatures, random),
                        bias = random_buffer(classes, random);
      std::vector<std::vector<float>> results;
      for (const int threads : {1, 2, 3}) {
        ThreadPool pool(test_cores(threads));
        FullyConnected layer(kFeatures, classes, kBatch, pool);
        FloatBuffer logits(classes * kBatch), maps(x.size()), grad_weight(weight.size()),
            grad_bias(classes);
        layer.forward(x.data(), weight, bias, logits.data());
        std::copy_n(x.data(), x.size(), maps.data());
        layer.backward(logits.data(), weight, maps.data(), grad_weight, grad_bias);
        std::vector<float>& all = results.emplace_back();
        for (const FloatBuffer* buffer : {&logits, &maps, &grad_weight, &grad_bias})
          all.insert(all.end(), buffer->span().begin(), buffer->span().end());
      }
      QVERIFY(results[0] == results[1]);
      QVERIFY(results[0] == results[2]);
    }
  }

  // Padding between rows of the weights, and the columns behind the run, are not touched.
  void only_the_run_of_features() {
    constexpr std::size_t kCount = 70, kClasses = 10, kBatch = 19, kStride = 77;
    Random random(23);
    const FloatBuffer weight = random_buffer(kClasses * kStride, random),
                      grad_logits = random_buffer(kClasses * kBatch, random);
    FloatBuffer features = random_buffer((kCount + 1) * kBatch, random);
    const float behind = features[kCount * kBatch];
    FloatBuffer grad_weight(kClasses * kStride);
    std::fill_n(grad_weight.data(), grad_weight.size(), -7.0f);
    thin_backward({kCount, kClasses, kBatch, kStride}, grad_logits.data(), weight.data(),
                  features.data(), grad_weight.data());
    QCOMPARE(features[kCount * kBatch], behind);
    FloatBuffer logits((kClasses + 1) * kBatch);
    std::fill_n(logits.data(), logits.size(), -7.0f);
    features[kCount * kBatch] = std::numeric_limits<float>::quiet_NaN();
    thin_forward({kCount, kClasses, kBatch, kStride}, features.data(), weight.data(),
                 logits.data());
    for (std::size_t n = 0; n < logits.size(); ++n)
      QCOMPARE(logits[n] == -7.0f, n >= kClasses * kBatch);
    QCOMPARE(std::ranges::count(grad_weight.span(), -7.0f), (kStride - kCount) * kClasses);
    for (std::size_t c = 0; c < kClasses; ++c) QCOMPARE(grad_weight[c * kStride + kCount], -7.0f);
  }
};

QTEST_GUILESS_MAIN(FullyConnectedTest)
#include "fully_connected_test.moc"
