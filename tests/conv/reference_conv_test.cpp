// The definition of the convolution: cases worked by hand, and the adjoint identity that ties the
// backward passes to the forward pass. Every algorithm must pass the cases worked by hand.
#include <QTest>

#include "tests/base/test_cores.h"
#include "tests/conv/random_convolution.h"

using namespace convoy;

namespace {

struct HandCase {
  const char* name;
  ConvProblem problem;
  std::vector<float> input, weight, grad_output;
  std::vector<float> output, grad_input, grad_weight;
};

std::vector<HandCase> hand_cases() {
  std::vector<HandCase> cases;
  {
    HandCase c;
    c.name = "3x3 image, 2x2 kernel";
    c.problem.in_height = c.problem.in_width = 3;
    c.problem.kernel_height = c.problem.kernel_width = 2;
    c.input = {1, 2, 3, 4, 5, 6, 7, 8, 9};
    c.weight = {1, 2, 3, 4};
    c.grad_output = {1, 1, 1, 1};
    c.output = {37, 47, 67, 77};
    c.grad_input = {1, 3, 2, 4, 10, 6, 3, 7, 4};
    c.grad_weight = {12, 16, 24, 28};
    cases.push_back(c);
  }
  {
    HandCase c;
    c.name = "two images of one row, padded at the left only, stride 2";
    c.problem.batch = 2;
    c.problem.in_width = 4;
    c.problem.kernel_width = 3;
    c.problem.padding = {0, 2, 0, 0};
    c.problem.stride_width = 2;
    c.input = {1, 5, 2, 6, 3, 7, 4, 8};  // the images 1 2 3 4 and 5 6 7 8
    c.weight = {1, 10, 100};
    c.grad_output = {1, 2, 3, 4};
    c.output = {100, 500, 321, 765};
    c.grad_input = {103, 204, 30, 40, 300, 400, 0, 0};
    c.grad_weight = {23, 30, 48};
    cases.push_back(c);
  }
  {
    HandCase c;
    c.name = "1x1 kernels are a matrix product";
    c.problem.in_channels = c.problem.out_channels = c.problem.in_width = 2;
    c.input = {1, 2, 3, 4};
    c.weight = {1, 2, 3, 4};
    c.grad_output = {1, 10, 100, 1000};
    c.output = {7, 10, 15, 22};
    c.grad_input = {301, 3010, 402, 4020};
    c.grad_weight = {21, 43, 2100, 4300};
    cases.push_back(c);
  }
  {
    HandCase c;
    c.name = "a kernel that lies on padding only";
    c.problem.padding = {1, 0, 0, 0};
    c.input = {5};
    c.weight = {3};
    c.grad_output = {7, 2};
    c.output = {0, 15};
    c.grad_input = {6};
    c.grad_weight = {10};
    cases.push_back(c);
  }
  return cases;
}

double dot(std::span<const float> a, std::span<const float> b) {
  double sum = 0;
  for (std::size_t n = 0; n < a.size(); ++n)
    sum += static_cast<double>(a[n]) * static_cast<double>(b[n]);
  return sum;
}

}  // namespace

class ReferenceConvTest : public QObject {
  Q_OBJECT

 private slots:
  void cases_worked_by_hand() {
    ThreadPool pool(test_cores(2));
    for (const HandCase& c : hand_cases())
      for (const ConvAlgorithm* algorithm : conv_algorithms())
        for (Pass pass : kAllPasses) {
          if (!algorithm->supports(c.problem, pass)) continue;
          const auto plan = algorithm->plan(c.problem, pass, pool.size(), 1 << 20);
          QVERIFY(plan);
          const std::vector<float>& expected = pass == Pass::kForward        ? c.output
                                               : pass == Pass::kBackwardData ? c.grad_input
                                                                             : c.grad_weight;
          std::vector<float> result(expected.size(), -1);
          FloatBuffer scratch(plan->scratch_bytes() / sizeof(float));
          plan->run({c.input.data(), c.weight.data(), c.grad_output.data(), result.data()},
                    std::as_writable_bytes(scratch.span()), pool, nullptr);
          // A transform rounds; the results are integers.
          if (QString(algorithm->name()) == "fft")
            for (std::size_t n = 0; n < result.size(); ++n)
              if (std::abs(result[n] - expected[n]) <= 1e-6f * std::abs(expected[n]) + 1e-5f)
                result[n] = expected[n];
          QVERIFY2(
              result == expected,
              qPrintable(QString("%1, %2, %3").arg(c.name, algorithm->name(), pass_name(pass))));
        }
  }

  // <dY, conv(X, W)> = <backward_data(dY, W), X> = <backward_weights(X, dY), W>; with integers all
  // three are exact.
  void passes_are_adjoint() {
    constexpr std::uint64_t kSeed = 20261121;
    qInfo("seed %llu", static_cast<unsigned long long>(kSeed));
    Random random(kSeed);
    ThreadPool pool(test_cores(2));
    for (int n = 0; n < 150; ++n) {
      const ConvProblem problem = random_problem(random);
      const Arrays arrays(problem, random);
      const auto output = run_reference(problem, Pass::kForward, arrays, pool);
      const auto grad_input = run_reference(problem, Pass::kBackwardData, arrays, pool);
      const auto grad_weight = run_reference(problem, Pass::kBackwardWeights, arrays, pool);
      const double forward = dot(arrays.grad_output.span(), output);
      const QString text = problem_text(problem);
      QVERIFY2(dot(grad_input, arrays.input.span()) == forward, qPrintable(text));
      QVERIFY2(dot(grad_weight, arrays.weight.span()) == forward, qPrintable(text));
    }
  }
};

QTEST_GUILESS_MAIN(ReferenceConvTest)
#include "reference_conv_test.moc"
