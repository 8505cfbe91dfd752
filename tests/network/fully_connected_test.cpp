#include <QtTest>
#include <cmath>

#include "engine/network/fully_connected.h"
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
        QVERIFY(near(maps[f * B + n], sum, 10));
      }
      for (std::size_t c = 0; c < C; ++c) {
        double sum = 0.0;
        for (std::size_t n = 0; n < B; ++n) sum += at(grad_logits, c * B + n) * at(x, f * B + n);
        QVERIFY(near(grad_weight[c * F + f], sum, 10));
      }
    }
    for (std::size_t c = 0; c < C; ++c) {
      double sum = 0.0;
      for (std::size_t n = 0; n < B; ++n) sum += at(grad_logits, c * B + n);
      QVERIFY(near(grad_bias[c], sum, 1));
    }
  }
};

QTEST_GUILESS_MAIN(FullyConnectedTest)
#include "fully_connected_test.moc"
