#include <QtTest>
#include <cmath>
#include <limits>

#include "engine/base/error.h"
#include "engine/network/softmax_loss.h"
#include "tests/network/executors.h"

using namespace convoy;

class SoftmaxLossTest : public QObject {
  Q_OBJECT

 private slots:
  void uniform_logits() {
    ThreadPool pool(test_cores(2));
    SoftmaxLoss loss(4, 3, pool);
    std::vector<float> logits(12, 5.0f);
    const std::uint16_t labels[] = {0, 0, 3};
    const auto result = loss.evaluate(logits.data(), labels, 3, true);
    QCOMPARE(result.loss, std::log(4.0));
    QCOMPARE(result.correct, 2);  // the first among equals is class 0
    for (std::size_t c = 0; c < 4; ++c)
      for (std::size_t n = 0; n < 3; ++n)
        QCOMPARE(logits[c * 3 + n], ((c == labels[n] ? -0.75f : 0.25f)) / 3.0f);
  }

  // Beyond the range of exp().
  void large_logits() {
    ThreadPool pool(test_cores(1));
    SoftmaxLoss loss(2, 2, pool);
    std::vector<float> logits = {1e4f, -3e38f, -1e4f, 3e38f};
    const std::uint16_t labels[] = {0, 1};
    const auto result = loss.evaluate(logits.data(), labels, 2, true);
    QCOMPARE(result.loss, 0.0);
    QCOMPARE(result.correct, 2);
    for (const float gradient : logits) QCOMPARE(gradient, 0.0f);
  }

  // exp(-30) is lost beside 1 in single precision, in double it is not.
  void confident_logits() {
    ThreadPool pool(test_cores(1));
    SoftmaxLoss loss(2, 1, pool);
    std::vector<float> logits = {30.0f, 0.0f};
    const std::uint16_t label = 0;
    const double expected = std::log1p(std::exp(-30.0));
    QVERIFY(std::abs(loss.evaluate(logits.data(), &label, 1, false).loss - expected) <=
            1e-2 * expected);
  }

  void only_the_first_count() {
    ThreadPool pool(test_cores(2));
    SoftmaxLoss loss(2, 40, pool);
    const float nan = std::numeric_limits<float>::quiet_NaN();
    std::vector<float> logits(80, nan);
    for (std::size_t n = 0; n < 33; ++n) {
      logits[n] = 1.0f;
      logits[40 + n] = 0.0f;
    }
    std::vector<std::uint16_t> labels(40, 0xffff);
    std::fill_n(labels.begin(), 33, std::uint16_t{0});
    const auto result = loss.evaluate(logits.data(), labels.data(), 33, false);
    QCOMPARE(result.correct, 33);
    QVERIFY(std::abs(result.loss - std::log1p(std::exp(-1.0))) <= 1e-12);
    const auto none = loss.evaluate(logits.data(), labels.data(), 0, false);
    QCOMPARE(none.loss, 0.0);
    QCOMPARE(none.correct, 0);
  }

  void diverged_training_shows() {
    ThreadPool pool(test_cores(1));
    SoftmaxLoss loss(2, 1, pool);
    std::vector<float> logits = {std::numeric_limits<float>::quiet_NaN(), 0.0f};
    const std::uint16_t label = 1;
    QVERIFY(std::isnan(loss.evaluate(logits.data(), &label, 1, true).loss));
  }

  void label_beyond_the_classes() {
    ThreadPool pool(test_cores(1));
    SoftmaxLoss loss(10, 2, pool);
    std::vector<float> logits(20, 0.0f);
    const std::uint16_t labels[] = {9, 10};
    try {
      loss.evaluate(logits.data(), labels, 2, true);
      QFAIL("accepted");
    } catch (const Error& error) {
      QCOMPARE(error.kind(), ErrorKind::kData);
      const QString message = error.what();
      QVERIFY2(message.contains("picture 1") && message.contains("label 10") &&
                   message.contains("0 to 9"),
               error.what());
    }
  }
};

QTEST_GUILESS_MAIN(SoftmaxLossTest)
#include "softmax_loss_test.moc"
