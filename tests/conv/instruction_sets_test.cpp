// The algorithms with micro-kernels of their own on every instruction set, whose tiles differ.
// Operands are small integers, whose sums are exact.
#include <QTest>

#include "tests/base/test_cores.h"
#include "tests/conv/instruction_sets.h"
#include "tests/conv/random_convolution.h"

using namespace convoy;

class InstructionSetsTest : public QObject {
  Q_OBJECT

 private:
  ThreadPool pool_{test_cores(2)};

  void compare(const ConvProblem& problem, Random& random) {
    const Arrays arrays(problem, random);
    for (Pass pass : kAllPasses) {
      const auto expected = run_reference(problem, pass, arrays, pool_);
      for (const char* name : {"direct", "implicit-gemm", "winograd"}) {
        if (!find_conv_algorithm(name)->supports(problem, pass)) continue;
        const auto plan =
            find_conv_algorithm(name)->plan(problem, pass, pool_.size(), std::size_t{1} << 30);
        QVERIFY(plan);
        GuardedBuffer result(expected.size()), scratch((plan->scratch_bytes() + 3) / 4);
        plan->run(arrays.operands(result.data()), scratch.bytes(plan->scratch_bytes()), pool_,
                  nullptr);
        QVERIFY(result.guards_are_whole() && scratch.guards_are_whole());
        const auto span = result.span();
        QVERIFY2(
            std::equal(expected.begin(), expected.end(), span.begin(), span.end()),
            qPrintable(QString("%1: %2, %3").arg(name, pass_name(pass), problem_text(problem))));
      }
    }
  }

 private slots:
  void cleanup() { choose_all_instruction_sets(); }

  void random_shapes_data() { add_instruction_sets(); }
  void random_shapes() {
    QFETCH(qint64, target);
    choose_instruction_set(target);
    Random random(41);
    for (int n = 0; n < 24 && !QTest::currentTestFailed(); ++n)
      compare(random_problem(random), random);
  }

  // Rows that fill several tiles, with one, two and more vectors of places; 3x3 at stride 1.
  void tiles_data() { add_instruction_sets(); }
  void tiles() {
    QFETCH(qint64, target);
    choose_instruction_set(target);
    Random random(43);
    for (const int size : {3, 5, 6, 9})
      for (const int kernels : {1, 3, 4, 7, 13, 25}) {
        ConvProblem problem = make_problem(1, kernels + 2, size, kernels, 3);
        problem.padding = Padding::all(1);
        compare(problem, random);
        compare(problem.with_batch(kernels + size), random);
        if (QTest::currentTestFailed()) return;
      }
  }
};

QTEST_APPLESS_MAIN(InstructionSetsTest)
#include "instruction_sets_test.moc"
