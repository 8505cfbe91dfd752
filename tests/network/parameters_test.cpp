#include <QtTest>
#include <algorithm>
#include <cmath>

#include "engine/network/parameters.h"

using namespace convoy;

namespace {

bool equal(const FloatBuffer& a, const FloatBuffer& b) {
  return std::ranges::equal(a.span(), b.span());
}

bool all_zero(const FloatBuffer& buffer) {
  return std::ranges::all_of(buffer.span(), [](float value) { return value == 0.0f; });
}

// Of a normal distribution's sample the mean strays by deviation / sqrt(n), the variance by
// variance * sqrt(2 / n), the excess kurtosis by sqrt(24 / n); five times that is never by chance.
void check_normal(const FloatBuffer& buffer, double variance) {
  const double n = static_cast<double>(buffer.size());
  double mean = 0.0, second = 0.0, fourth = 0.0;
  for (const float value : buffer.span()) mean += static_cast<double>(value) / n;
  for (const float value : buffer.span()) {
    const double square = std::pow(static_cast<double>(value) - mean, 2);
    second += square / n;
    fourth += square * square / n;
  }
  QVERIFY2(std::abs(mean) <= 5 * std::sqrt(variance / n), qPrintable(QString::number(mean)));
  QVERIFY2(std::abs(second / variance - 1) <= 5 * std::sqrt(2 / n),
           qPrintable(QString::number(second / variance)));
  QVERIFY2(std::abs(fourth / (second * second) - 3) <= 5 * std::sqrt(24 / n),
           qPrintable(QString::number(fourth / (second * second))));
}

}  // namespace

class ParametersTest : public QObject {
  Q_OBJECT

  NetworkSpec spec_;  // 16:32, 5x5, on 3 x 32 x 32

 private slots:
  void sizes() {
    const Parameters zeros = Parameters::zeros(spec_);
    QCOMPARE(zeros.conv.size(), std::size_t{2});
    QCOMPARE(zeros.conv[0].weight.size(), std::size_t{16 * 3 * 25});
    QCOMPARE(zeros.conv[0].bias.size(), std::size_t{16});
    QCOMPARE(zeros.conv[1].weight.size(), std::size_t{32 * 16 * 25});
    QCOMPARE(zeros.conv[1].bias.size(), std::size_t{32});
    QCOMPARE(zeros.fc_weight.size(), std::size_t{10 * 32 * 25});
    QCOMPARE(zeros.fc_bias.size(), std::size_t{10});
    for (const ConvParameters& layer : zeros.conv) {
      QVERIFY(all_zero(layer.weight));
      QVERIFY(all_zero(layer.bias));
    }
    QVERIFY(all_zero(zeros.fc_weight));
    QVERIFY(all_zero(zeros.fc_bias));
  }

  void he_statistics() {
    const Parameters he = Parameters::he(spec_, 1);
    check_normal(he.conv[0].weight, 2.0 / (3 * 25));
    check_normal(he.conv[1].weight, 2.0 / (16 * 25));
    check_normal(he.fc_weight, 1.0 / (32 * 25));
    QVERIFY(all_zero(he.conv[0].bias));
    QVERIFY(all_zero(he.conv[1].bias));
    QVERIFY(all_zero(he.fc_bias));
  }

  void the_seed_decides() {
    const Parameters one = Parameters::he(spec_, 1), again = Parameters::he(spec_, 1),
                     two = Parameters::he(spec_, 2);
    QVERIFY(equal(one.conv[0].weight, again.conv[0].weight));
    QVERIFY(equal(one.conv[1].weight, again.conv[1].weight));
    QVERIFY(equal(one.fc_weight, again.fc_weight));
    QVERIFY(!equal(one.conv[0].weight, two.conv[0].weight));
    QVERIFY(!equal(one.fc_weight, two.fc_weight));
  }

  void copies_are_independent() {
    Parameters one = Parameters::he(spec_, 1);
    const Parameters copy = one.copy();
    QVERIFY(equal(one.conv[1].weight, copy.conv[1].weight));
    QVERIFY(equal(one.fc_weight, copy.fc_weight));
    const float before = copy.fc_weight[0];
    one.fc_weight[0] += 1.0f;
    QCOMPARE(copy.fc_weight[0], before);
  }
};

QTEST_GUILESS_MAIN(ParametersTest)
#include "parameters_test.moc"
