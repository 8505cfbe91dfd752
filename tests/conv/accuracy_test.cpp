// Which algorithms keep the error budget, and where they are not taken because they would not.
#include <QTest>
#include <algorithm>

#include "tests/base/logged_seed.h"
#include "tests/base/test_cores.h"
#include "tests/conv/error_budget.h"

using namespace convoy;

class AccuracyTest : public QObject {
  Q_OBJECT

 private:
  ThreadPool pool_{test_cores(2)};

 private slots:
  void no_choice_is_less_accurate_than_the_direct_method_data() {
    add_error_budget_rows();
    add_layer_row(16, 3, 32, 16, 5, 0);
    add_layer_row(8, 16, 8, 16, 1, 0);
    add_layer_row(8, 4, 8, 4, 3, 1);
    add_layer_row(2, 1, 12, 1, 3, 1);
    // Winograd's tiles, with sums of few and of many products.
    add_layer_row(16, 8, 8, 8, 3, 1);
    add_layer_row(16, 32, 4, 32, 3, 1);
    add_layer_row(4, 32, 8, 32, 3, 1);
    add_layer_row(1, 32, 16, 32, 3, 1);
    add_layer_row(8, 32, 8, 32, 3, 1);
    add_layer_row(40, 16, 4, 16, 3, 1);
    add_layer_row(1, 24, 31, 24, 3, 0);
    add_layer_row(33, 12, 4, 12, 3, 1);
  }
  void no_choice_is_less_accurate_than_the_direct_method() {
    QFETCH(ConvProblem, layer);
    Random random(test::logged_seed(17));
    const Arrays arrays = normal_arrays(layer, random);
    for (Pass pass : kAllPasses) {
      const ErrorBudget budget(layer, arrays, pass, pool_);
      for (const ConvAlgorithm* algorithm : ranked_conv_algorithms(layer, pass, pool_.size())) {
        const auto plan = algorithm->plan(layer, pass, pool_.size(), std::size_t{1} << 30);
        std::vector<float> result(budget.result_size());
        FloatBuffer scratch((plan->scratch_bytes() + 3) / 4);
        plan->run(arrays.operands(result.data()), std::as_writable_bytes(scratch.span()), pool_,
                  nullptr);
        QVERIFY(budget.holds_for(algorithm->name(), result));
      }
    }
  }

  void winograd_is_no_choice_for_short_sums() {
    const ConvAlgorithm* const winograd = find_conv_algorithm("winograd");
    const auto is_accurate = [&](int batch, int size, Pass pass) {
      ConvProblem problem = make_problem(batch, 64, size, 64, 3);
      problem.padding = Padding::all(1);
      return winograd->is_accurate(problem, pass);
    };
    for (const Pass pass : kAllPasses) QVERIFY(is_accurate(16, 4, pass));
    QVERIFY(is_accurate(8, 4, Pass::kForward));
    QVERIFY(!is_accurate(8, 4, Pass::kBackwardWeights));  // 89 terms that are not of padding
    ConvProblem thin = make_problem(64, 7, 4, 64, 3);
    QVERIFY(!winograd->is_accurate(thin, Pass::kForward));  // 63
    QVERIFY(winograd->is_accurate(thin, Pass::kBackwardData));
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
