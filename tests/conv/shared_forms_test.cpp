// What the passes of a step share of their operands, and the phases that they report.
#include <QTest>
#include <array>

#include "tests/base/test_cores.h"
#include "tests/conv/random_convolution.h"

using namespace convoy;

namespace {

constexpr std::size_t kAmple = std::size_t{1} << 30;

}  // namespace

class SharedFormsTest : public QObject {
  Q_OBJECT

 private:
  ThreadPool two_{test_cores(2)};

 private slots:
  // What passes share does not change a bit of their results, whichever comes first, and a form is
  // made again only when it was cleared.
  void shared_forms_change_nothing_data() {
    QTest::addColumn<QString>("name");
    QTest::addColumn<quint64>("seed");
    for (const QString name : {"fft", "winograd"})
      for (quint64 seed : {61u, 62u, 63u})
        QTest::newRow(qPrintable(QString("%1, seed %2").arg(name).arg(seed))) << name << seed;
  }
  void shared_forms_change_nothing() {
    QFETCH(QString, name);
    QFETCH(quint64, seed);
    Random random(seed);
    const ConvAlgorithm& algorithm = *find_conv_algorithm(name.toStdString());
    for (int n = 0; n < 8; ++n) {
      ConvProblem problem = random_problem(random);
      problem.stride_height = std::min(problem.stride_height, problem.kernel_height);
      problem.stride_width = std::min(problem.stride_width, problem.kernel_width);
      if (name == "winograd") {
        problem.kernel_height = problem.kernel_width = 3;
        problem.stride_height = problem.stride_width = 1;
        problem.in_height += 2;
        problem.in_width += 2;
      }
      if (n == 7) problem = make_problem(2, 3, 6, 1100, 3);  // several blocks of kernels
      const Arrays arrays(problem, random);
      std::array<FloatBuffer, 3> memory;
      std::array<SharedForm, 3> forms;
      for (Operand operand : kAllOperands) {
        const auto index = static_cast<std::size_t>(operand);
        for (Pass pass : kAllPasses) {
          const std::size_t floats =
              algorithm.plan(problem, pass, 2, kAmple)->shared_floats(operand);
          QVERIFY(floats > 0 && (memory[index].size() == 0 || memory[index].size() == floats));
          memory[index].resize(floats);
        }
        forms[index].memory = memory[index].span();
      }
      const auto run = [&](Pass pass, bool is_shared) {
        OperandSet shared;
        ConvOperands operands = arrays.operands(nullptr);
        if (is_shared)
          for (Operand operand : kAllOperands)
            if (reads(pass, operand)) {
              shared.set(static_cast<std::size_t>(operand));
              operands.shared[static_cast<std::size_t>(operand)] =
                  &forms[static_cast<std::size_t>(operand)];
            }
        const auto plan = algorithm.plan(problem, pass, 2, kAmple, shared);
        GuardedBuffer result(result_size(problem, pass));
        GuardedBuffer scratch((plan->scratch_bytes() + 3) / 4);
        operands.result = result.data();
        plan->run(operands, scratch.bytes(plan->scratch_bytes()), two_, nullptr);
        return std::vector<float>(result.span().begin(), result.span().end());
      };
      std::array<std::vector<float>, 3> expected;
      for (Pass pass : kAllPasses) expected[static_cast<std::size_t>(pass)] = run(pass, false);
      for (int first = 0; first < 3; ++first) {
        for (SharedForm& form : forms) form.made = false;
        for (int next = 0; next < 6; ++next) {
          const Pass pass = kAllPasses[(first + next) % 3];
          QVERIFY2(run(pass, true) == expected[static_cast<std::size_t>(pass)],
                   qPrintable(QString("%1 of %2").arg(pass_name(pass), problem_text(problem))));
        }
        for (const SharedForm& form : forms) QVERIFY(form.made);
      }
    }
  }

  void what_is_shared_is_neither_divided_nor_left_out() {
    const ConvProblem problem = make_problem(4, 6, 12, 600, 5);
    const ConvAlgorithm& fft = *find_conv_algorithm("fft");
    const OperandSet weight(1u << static_cast<unsigned>(Operand::kWeight));
    const auto alone = fft.plan(problem, Pass::kForward, 2, kAmple);
    const auto sharing = fft.plan(problem, Pass::kForward, 2, kAmple, weight);
    QVERIFY(sharing->scratch_bytes() < alone->scratch_bytes());
    QVERIFY(!fft.plan(problem, Pass::kForward, 2, sharing->scratch_bytes() - 1, weight));
    const auto limited = fft.plan(problem, Pass::kForward, 2, alone->scratch_bytes() - 1);
    QVERIFY(limited);
    for (Operand operand : kAllOperands) QCOMPARE(limited->shared_floats(operand), std::size_t{0});
    for (const char* direct : {"gemm", "reference"})
      QVERIFY(!find_conv_algorithm(direct)->plan(problem, Pass::kForward, 2, kAmple, weight));

    Random random(71);
    const Arrays arrays(problem, random);
    std::vector<float> result(problem.output_size());
    FloatBuffer scratch(sharing->scratch_bytes() / sizeof(float));
    QVERIFY_EXCEPTION_THROWN(sharing->run(arrays.operands(result.data()),
                                          std::as_writable_bytes(scratch.span()), two_, nullptr),
                             Error);
  }

  // The spectra of a block of kernels stay small however large the batch, alike in all passes.
  void large_batches_come_in_smaller_blocks_of_kernels() {
    const ConvProblem problem = make_problem(1024, 50, 14, 500, 5);
    const ConvAlgorithm& fft = *find_conv_algorithm("fft");
    constexpr std::size_t kEverything = std::size_t{1} << 34;
    const OperandSet input(1u << static_cast<unsigned>(Operand::kInput));
    QVERIFY(fft.plan(problem, Pass::kForward, 2, kEverything, input)->scratch_bytes() <
            std::size_t{400} << 20);  // 401 MB for all kernels at once, and the weights
    for (Operand operand : kAllOperands) {
      const auto floats = [&](Pass pass) {
        return fft.plan(problem, pass, 2, kEverything)->shared_floats(operand);
      };
      QVERIFY(floats(Pass::kForward) > 0);
      QCOMPARE(floats(Pass::kBackwardData), floats(Pass::kForward));
      QCOMPARE(floats(Pass::kBackwardWeights), floats(Pass::kForward));
    }
  }

  void phases_are_timed_where_there_are_phases() {
    const ConvProblem problem = make_problem(8, 8, 12, 16, 3);
    Random random(81);
    const Arrays arrays(problem, random);
    for (Pass pass : kAllPasses) {
      const auto plan = find_conv_algorithm("fft")->plan(problem, pass, 2, kAmple);
      std::vector<float> result(result_size(problem, pass));
      FloatBuffer scratch(plan->scratch_bytes() / sizeof(float));
      ConvPhases phases;
      plan->run(arrays.operands(result.data()), std::as_writable_bytes(scratch.span()), two_,
                nullptr, &phases);
      QVERIFY(phases.transform_ms > 0 && phases.product_ms > 0 && phases.inverse_ms > 0);
    }
  }
};

QTEST_GUILESS_MAIN(SharedFormsTest)
#include "shared_forms_test.moc"
