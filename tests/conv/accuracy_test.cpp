// The error budget: against double precision no algorithm that a device would choose by itself may
// be less accurate (rms) than the direct method in single precision, which adds the products of
// each result one after the other.
#include <QTest>
#include <algorithm>

#include "tests/base/test_cores.h"
#include "tests/conv/direct_sums.h"

using namespace convoy;

class AccuracyTest : public QObject {
  Q_OBJECT

 private:
  ThreadPool pool_{test_cores(2)};

 private slots:
  void no_choice_is_less_accurate_than_the_direct_method_data() {
    QTest::addColumn<int>("batch");
    QTest::addColumn<int>("channels");
    QTest::addColumn<int>("size");
    QTest::addColumn<int>("kernels");
    QTest::addColumn<int>("kernel_size");
    QTest::addColumn<int>("padding");
    const auto row = [](int batch, int channels, int size, int kernels, int kernel_size,
                        int padding) {
      QTest::addRow("%d -> %d, %dx%d on %dx%d, padding %d, batch %d", channels, kernels,
                    kernel_size, kernel_size, size, size, padding, batch)
          << batch << channels << size << kernels << kernel_size << padding;
    };
    row(16, 3, 32, 16, 5, 0);
    row(16, 64, 14, 48, 5, 0);
    row(4, 300, 14, 100, 5, 0);
    row(16, 64, 16, 64, 3, 1);
    row(32, 128, 4, 128, 3, 1);
    row(8, 16, 8, 16, 1, 0);
    row(8, 4, 8, 4, 3, 1);
    row(2, 1, 12, 1, 3, 1);
    row(4, 2, 30, 6, 11, 5);
    row(3, 24, 27, 7, 7, 3);
  }
  void no_choice_is_less_accurate_than_the_direct_method() {
    QFETCH(int, batch);
    QFETCH(int, channels);
    QFETCH(int, size);
    QFETCH(int, kernels);
    QFETCH(int, kernel_size);
    QFETCH(int, padding);
    ConvProblem problem = make_problem(batch, channels, size, kernels, kernel_size);
    problem.padding = Padding::all(padding);
    constexpr std::uint64_t kSeed = 17;
    Random random(kSeed);
    const Arrays arrays = normal_arrays(problem, random);
    for (Pass pass : kAllPasses) {
      // The reference sums in double precision and rounds once.
      const auto exact = run_reference(problem, pass, arrays, pool_);
      const double direct = rms_error(DirectSums(problem, arrays).run(pass), exact);
      for (const ConvAlgorithm* algorithm : ranked_conv_algorithms(problem, pass, pool_.size())) {
        const auto plan = algorithm->plan(problem, pass, pool_.size(), std::size_t{1} << 30);
        std::vector<float> result(exact.size());
        FloatBuffer scratch((plan->scratch_bytes() + 3) / 4);
        plan->run(arrays.operands(result.data()), std::as_writable_bytes(scratch.span()), pool_,
                  nullptr);
        const double error = rms_error(result, exact);
        qInfo("%s, %s: rms error %.2e, direct %.2e, seed %d", pass_name(pass), algorithm->name(),
              error, direct, static_cast<int>(kSeed));
        // Two direct sums in different orders differ that much by chance.
        QVERIFY(error <= 1.1 * direct);
      }
    }
  }

  // Where sums are short the transforms' own roundings weigh more than a direct sum's.
  void transforms_are_no_choice_for_short_sums() {
    const ConvProblem problem = make_problem(64, 3, 32, 500, 5);
    const auto is_ranked = [&](Pass pass) {
      const auto ranked = ranked_conv_algorithms(problem, pass, 2);
      return std::find(ranked.begin(), ranked.end(), find_conv_algorithm("fft")) != ranked.end();
    };
    QVERIFY(!is_ranked(Pass::kForward));  // 75 terms
    QVERIFY(is_ranked(Pass::kBackwardData));
    QVERIFY(is_ranked(Pass::kBackwardWeights));
    QVERIFY(find_conv_algorithm("fft")->supports(problem, Pass::kForward));
  }
};

QTEST_GUILESS_MAIN(AccuracyTest)
#include "accuracy_test.moc"
