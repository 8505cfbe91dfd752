// Every algorithm against the reference: all passes, random shapes, one to three threads, all the
// scratch it could want down to the least it takes, into memory filled with NaN between guards.
// Operands are small integers: plain sums must be exact, transforms round.
#include <QTest>
#include <cmath>
#include <cstring>
#include <limits>

#include "engine/conv/fft_geometry.h"
#include "tests/base/test_cores.h"
#include "tests/conv/random_convolution.h"

using namespace convoy;

namespace {

constexpr std::size_t kAmple = std::size_t{1} << 30;
constexpr double kIntegersDeviation = 2;  // of fill_integers()

// The smallest scratch limit that the algorithm makes a plan for.
std::size_t least_scratch(const ConvAlgorithm& algorithm, const ConvProblem& problem, Pass pass,
                          int threads) {
  std::size_t low = 0, high = kAmple;
  while (low < high) {
    const std::size_t middle = low + (high - low) / 2;
    if (algorithm.plan(problem, pass, threads, middle))
      high = middle;
    else
      low = middle + 1;
  }
  return low;
}

bool is_exact(const ConvAlgorithm& algorithm) {  // for small integers
  return std::strcmp(algorithm.name(), "fft") != 0;
}

// Transforms do not leap over places of the input, and are not for the largest kernels; Winograd's
// are for 3x3 alone.
bool serves(const ConvAlgorithm& algorithm, const ConvProblem& p) {
  if (std::strcmp(algorithm.name(), "winograd") == 0)
    return p.stride_height == 1 && p.stride_width == 1 && p.kernel_height == 3 &&
           p.kernel_width == 3;
  return std::strcmp(algorithm.name(), "fft") != 0 ||
         (p.stride_height <= p.kernel_height && p.stride_width <= p.kernel_width &&
          p.kernel_height <= kLargestFftKernel && p.kernel_width <= kLargestFftKernel);
}

// Those that serve all passes of a problem.
std::vector<const ConvAlgorithm*> algorithms_for(const ConvProblem& problem) {
  std::vector<const ConvAlgorithm*> found;
  for (const ConvAlgorithm* algorithm : conv_algorithms())
    if (serves(*algorithm, problem)) found.push_back(algorithm);
  return found;
}

// Multiplications that make one element of a pass's result, on average.
double terms(const ConvProblem& problem, Pass pass) {
  return problem.flops() / 2 / static_cast<double>(result_size(problem, pass));
}

// Compares results of operands whose elements have the deviation `deviation`. The sum of n products
// then deviates by about deviation^2 sqrt(n), and the errors of a transform are relative to that.
// Empty when all is well.
QString compare(const ConvAlgorithm& algorithm, const ConvProblem& problem, Pass pass,
                std::span<const float> result, const std::vector<float>& expected,
                double deviation) {
  const double scale = deviation * deviation * std::sqrt(std::max(1.0, terms(problem, pass)));
  double squares = 0;
  for (std::size_t n = 0; n < expected.size(); ++n) {
    const double error = static_cast<double>(result[n]) - static_cast<double>(expected[n]);
    squares += error * error;
    if (!(std::abs(error) <= (is_exact(algorithm) ? 0.0 : 1e-5 * scale)))
      return QString("element %1 is %2, not %3").arg(n).arg(result[n]).arg(expected[n]);
  }
  const double rms = std::sqrt(squares / static_cast<double>(expected.size())) / scale;
  return rms <= 1e-6 ? QString() : QString("the relative error is %1").arg(rms);
}

// Empty when the algorithm computes `expected`, else what is wrong.
QString check(const ConvAlgorithm& algorithm, const ConvProblem& problem, Pass pass,
              std::size_t limit, const Arrays& arrays, const std::vector<float>& expected,
              ThreadPool& pool) {
  const auto plan = algorithm.plan(problem, pass, pool.size(), limit);
  if (!plan) return "no plan";
  const std::size_t needed = plan->scratch_bytes();
  if (needed > limit) return QString("needs %1 bytes of scratch").arg(needed);
  GuardedBuffer result(expected.size()), scratch((needed + 3) / 4);
  plan->run(arrays.operands(result.data()), scratch.bytes(needed), pool, nullptr);
  if (!result.guards_are_whole()) return "writes beside its result";
  if (!scratch.guards_are_whole()) return "writes beside its scratch";
  return compare(algorithm, problem, pass, result.span(), expected, kIntegersDeviation);
}

}  // namespace

class ConvAlgorithmsTest : public QObject {
  Q_OBJECT

 private:
  ThreadPool one_{test_cores(1)}, two_{test_cores(2)}, three_{test_cores(3)};

  void compare_everywhere(const ConvProblem& problem, Random& random) {
    const Arrays arrays(problem, random);
    for (Pass pass : kAllPasses) {
      const auto expected = run_reference(problem, pass, arrays, one_);
      for (const ConvAlgorithm* algorithm : conv_algorithms()) {
        if (serves(*algorithm, problem)) QVERIFY(algorithm->supports(problem, pass));
        if (!algorithm->supports(problem, pass)) continue;
        const bool is_reference = algorithm == conv_algorithms().back();  // takes no scratch
        for (ThreadPool* pool : {&one_, &two_, &three_}) {
          if (is_reference && pool != &two_) continue;
          const std::size_t least = least_scratch(*algorithm, problem, pass, pool->size());
          for (std::size_t limit :
               is_reference ? std::vector<std::size_t>{0} : std::vector{kAmple, 8 * least, least}) {
            const QString wrong = check(*algorithm, problem, pass, limit, arrays, expected, *pool);
            QVERIFY2(wrong.isEmpty(),
                     qPrintable(QString("%1: %2, %3, %4 threads, %5 bytes: %6")
                                    .arg(algorithm->name(), pass_name(pass), problem_text(problem))
                                    .arg(pool->size())
                                    .arg(limit)
                                    .arg(wrong)));
          }
        }
      }
    }
  }

 private slots:
  void the_list_ends_in_the_reference() {
    QVERIFY(conv_algorithms().size() >= 2);
    QCOMPARE(conv_algorithms().back()->name(), "reference");
    QCOMPARE(find_conv_algorithm("gemm")->name(), "gemm");
    QVERIFY(!find_conv_algorithm("fast"));
    QVERIFY(!find_conv_algorithm(""));
  }

  void random_shapes_data() {
    QTest::addColumn<quint64>("seed");
    for (quint64 seed : {1u, 2u, 3u, 4u}) QTest::addRow("seed %llu", seed) << seed;
  }
  void random_shapes() {
    QFETCH(quint64, seed);
    Random random(seed);
    for (int n = 0; n < 20 && !QTest::currentTestFailed(); ++n)
      compare_everywhere(random_problem(random), random);
  }

  void random_shapes_of_stride_1_data() { random_shapes_data(); }
  void random_shapes_of_stride_1() {
    QFETCH(quint64, seed);
    Random random(100 + seed);
    for (int n = 0; n < 20 && !QTest::currentTestFailed(); ++n) {
      ConvProblem problem = random_problem(random);
      problem.stride_height = problem.stride_width = 1;
      for (const ConvAlgorithm* algorithm : conv_algorithms())
        for (Pass pass : kAllPasses)
          QCOMPARE(algorithm->supports(problem, pass), serves(*algorithm, problem));
      compare_everywhere(problem, random);
    }
  }

  // Small images with tiles that reach beyond them, batches of a part of a vector and of several.
  void random_shapes_of_3x3_data() { random_shapes_data(); }
  void random_shapes_of_3x3() {
    QFETCH(quint64, seed);
    Random random(200 + seed);
    for (int n = 0; n < 6 && !QTest::currentTestFailed(); ++n) {
      ConvProblem problem = random_problem(random);
      problem.stride_height = problem.stride_width = 1;
      problem.kernel_height = problem.kernel_width = 3;
      problem.in_height += 2;
      problem.in_width += 2;
      if (n == 0) {  // in as many blocks as it has columns: not too many
        problem.batch += 15;
        problem.in_height = problem.in_width = 5;
      }
      compare_everywhere(problem, random);
    }
  }

  // Shapes that make more than one task and more than one block along every side.
  void large_shapes_data() {
    QTest::addColumn<int>("batch");
    QTest::addColumn<int>("channels");
    QTest::addColumn<int>("size");
    QTest::addColumn<int>("kernels");
    QTest::addColumn<int>("kernel_size");
    QTest::newRow("thin first layer") << 33 << 3 << 16 << 20 << 5;
    QTest::newRow("many channels") << 7 << 70 << 9 << 33 << 5;
    QTest::newRow("one picture") << 1 << 40 << 7 << 90 << 3;
    QTest::newRow("one kernel") << 65 << 24 << 12 << 1 << 5;
    QTest::newRow("one output element") << 1 << 30 << 5 << 40 << 5;
    QTest::newRow("many tiles") << 17 << 4 << 75 << 5 << 5;
    QTest::newRow("many kernels") << 3 << 5 << 8 << 530 << 3;
    QTest::newRow("channels in parts") << 2 << 300 << 6 << 4 << 3;
    QTest::newRow("whole vectors") << 32 << 3 << 11 << 13 << 4;
    QTest::newRow("lines of one vector") << 1 << 5 << 18 << 11 << 3;
    QTest::newRow("kernels a page apart") << 3 << 64 << 7 << 29 << 4;
    QTest::newRow("more taps than a sum") << 2 << 17 << 14 << 13 << 12;
    QTest::newRow("more columns than a block") << 2 << 23 << 21 << 30 << 3;
    QTest::newRow("weights read as they lie") << 1 << 150 << 5 << 53 << 1;
  }
  void large_shapes() {
    QFETCH(int, batch);
    QFETCH(int, channels);
    QFETCH(int, size);
    QFETCH(int, kernels);
    QFETCH(int, kernel_size);
    Random random(11);
    compare_everywhere(make_problem(batch, channels, size, kernels, kernel_size), random);
  }

  // Tiles of several places in the lanes of one transform, at the edges and between, in blocks too.
  void small_batches_in_tiles_data() {
    QTest::addColumn<int>("batch");
    QTest::addColumn<int>("kernel_size");
    QTest::addColumn<int>("padding");
    QTest::newRow("one picture") << 1 << 3 << 1;
    QTest::newRow("one picture, no padding") << 1 << 5 << 0;
    QTest::newRow("two pictures, large kernels") << 2 << 11 << 5;
    QTest::newRow("five pictures, much padding") << 5 << 4 << 4;
    QTest::newRow("a picture less than lanes") << 15 << 7 << 3;
  }
  void small_batches_in_tiles() {
    QFETCH(int, batch);
    QFETCH(int, kernel_size);
    QFETCH(int, padding);
    Random random(13);
    ConvProblem problem = make_problem(batch, 3, 55, 4, kernel_size);
    problem.in_width = 39;
    problem.padding = Padding::all(padding);
    problem.padding.left = 0;
    QVERIFY(choose_fft_geometry(problem).tiles() > 1);
    compare_everywhere(problem, random);
  }

  void too_little_scratch_gives_no_plan() {
    const ConvProblem problem = make_problem(5, 3, 12, 8, 5);
    for (Pass pass : kAllPasses) {
      const ConvAlgorithm* gemm = find_conv_algorithm("gemm");
      const std::size_t least = least_scratch(*gemm, problem, pass, 2);
      QVERIFY(least > 0);
      QVERIFY(!gemm->plan(problem, pass, 2, least - 1));
      QVERIFY(!gemm->plan(problem, pass, 2, 0));
      QVERIFY(find_conv_algorithm("reference")->plan(problem, pass, 2, 0));
    }
  }

  // What one kernel range computes does not depend on the others: the basis of distribution.
  void kernel_ranges_make_the_whole_data() {
    QTest::addColumn<int>("kernel_size");
    QTest::newRow("5x5") << 5;
    QTest::newRow("3x3") << 3;
  }
  void kernel_ranges_make_the_whole() {
    QFETCH(int, kernel_size);
    Random random(21);
    ConvProblem whole = make_problem(9, 6, 13, 31, kernel_size);
    whole.padding = {1, 0, 2, 3};
    const Arrays arrays(whole, random);
    const std::size_t map = whole.output_size() / 31, kernel = whole.kernel_elements();
    for (const ConvAlgorithm* algorithm : algorithms_for(whole))
      for (const auto& counts : std::vector<std::vector<int>>{{31}, {1, 30}, {10, 1, 20}}) {
        std::vector<float> output(whole.output_size()), grad_weight(whole.weight_size());
        std::vector<float> grad_input(whole.input_size()), share(whole.input_size());
        std::size_t first = 0;
        for (int count : counts) {
          const ConvProblem part = whole.with_kernels(count);
          const auto run = [&](Pass pass, float* result) {
            const auto plan = algorithm->plan(part, pass, two_.size(), kAmple);
            FloatBuffer scratch(plan->scratch_bytes() / sizeof(float));
            plan->run({arrays.input.data(), arrays.weight.data() + first * kernel,
                       arrays.grad_output.data() + first * map, result},
                      std::as_writable_bytes(scratch.span()), two_, nullptr);
          };
          run(Pass::kForward, output.data() + first * map);
          run(Pass::kBackwardWeights, grad_weight.data() + first * kernel);
          run(Pass::kBackwardData, share.data());
          for (std::size_t n = 0; n < share.size(); ++n) grad_input[n] += share[n];
          first += static_cast<std::size_t>(count);
        }
        const auto check_whole = [&](Pass pass, const std::vector<float>& result) {
          const QString wrong =
              compare(*algorithm, whole, pass, result, run_reference(whole, pass, arrays, two_),
                      kIntegersDeviation);
          QVERIFY2(wrong.isEmpty(), qPrintable(wrong));
        };
        check_whole(Pass::kForward, output);
        check_whole(Pass::kBackwardWeights, grad_weight);
        check_whole(Pass::kBackwardData, grad_input);
      }
  }

  // Places of the input that no tap reaches, strides beyond the kernel, lines and columns alike.
  void larger_strides_data() {
    QTest::addColumn<int>("kernel_size");
    QTest::addColumn<int>("stride");
    QTest::addColumn<int>("padding");
    QTest::addColumn<int>("batch");
    QTest::newRow("1x1, every second") << 1 << 2 << 0 << 16;
    QTest::newRow("every fifth") << 2 << 5 << 0 << 3;
    QTest::newRow("as large as the kernel") << 3 << 3 << 1 << 1;
    QTest::newRow("padding as large as the kernel") << 3 << 2 << 3 << 5;
    QTest::newRow("most phases") << 8 << 8 << 4 << 2;
    QTest::newRow("a batch of vectors") << 5 << 2 << 2 << 32;
  }
  void larger_strides() {
    QFETCH(int, kernel_size);
    QFETCH(int, stride);
    QFETCH(int, padding);
    QFETCH(int, batch);
    Random random(23);
    for (const int size : {kernel_size, 16}) {
      ConvProblem problem = make_problem(batch, 3, size, 5, kernel_size);
      problem.padding = Padding::all(padding);
      problem.stride_height = stride;
      problem.stride_width = size == 16 ? stride : 1;
      compare_everywhere(problem, random);
    }
  }

  // Of Winograd's, more than stay in a cache.
  void several_strips_of_tiles() {
    Random random(29);
    const ConvProblem problem = make_problem(33, 2, 61, 3, 3);
    const Arrays arrays(problem, random);
    for (Pass pass : kAllPasses) {
      const QString wrong = check(*find_conv_algorithm("winograd"), problem, pass, kAmple, arrays,
                                  run_reference(problem, pass, arrays, two_), two_);
      QVERIFY2(wrong.isEmpty(), qPrintable(wrong));
    }
  }

  // No column matrix is made for these.
  void pointwise_kernels() {
    Random random(25);
    compare_everywhere(make_problem(5, 40, 9, 33, 1), random);
    compare_everywhere(make_problem(1, 3, 31, 2, 1), random);
  }

  // Written around the caches.
  void large_results() {
    Random random(27);
    const ConvProblem problem = make_problem(64, 3, 23, 65, 1);
    const Arrays arrays(problem, random);
    const auto expected = run_reference(problem, Pass::kForward, arrays, two_);
    for (const ConvAlgorithm* algorithm : algorithms_for(problem)) {
      const QString wrong =
          check(*algorithm, problem, Pass::kForward, kAmple, arrays, expected, two_);
      QVERIFY2(wrong.isEmpty(), qPrintable(QString("%1: %2").arg(algorithm->name(), wrong)));
    }
  }

  // Values whose sums are rounded: close to the reference, and the same bits every time.
  void results_are_accurate_and_repeatable_data() {
    QTest::addColumn<int>("channels");
    QTest::newRow("thin first layer") << 3;
    QTest::newRow("many channels") << 64;
  }
  void results_are_accurate_and_repeatable() {
    QFETCH(int, channels);
    const ConvProblem problem = make_problem(16, channels, 14, 12, 5);
    Random random(31);
    const Arrays arrays = normal_arrays(problem, random);
    for (Pass pass : kAllPasses) {
      const auto exact = run_reference(problem, pass, arrays, two_);
      // Products of standard normals: the sum of n of them has the deviation sqrt(n), and so many
      // roundings in any order stay far below this.
      const double tolerance = 20 * std::numeric_limits<float>::epsilon() * terms(problem, pass);
      for (const ConvAlgorithm* algorithm : algorithms_for(problem)) {
        if (algorithm == conv_algorithms().back()) continue;
        const auto plan = algorithm->plan(problem, pass, two_.size(), kAmple);
        std::vector<float> first;
        for (int repeat = 0; repeat < 8; ++repeat) {
          std::vector<float> result(exact.size());
          FloatBuffer scratch(plan->scratch_bytes() / sizeof(float));
          plan->run(arrays.operands(result.data()), std::as_writable_bytes(scratch.span()), two_,
                    nullptr);
          if (repeat == 0) first = result;
          QVERIFY(result == first);
        }
        for (std::size_t n = 0; n < exact.size(); ++n)
          QVERIFY(std::abs(static_cast<double>(first[n]) - static_cast<double>(exact[n])) <=
                  tolerance);
      }
    }
  }

  void stop_interrupts() {
    const ConvProblem problem = make_problem(8, 8, 12, 16, 3);
    Random random(41);
    const Arrays arrays(problem, random);
    StopToken stop;
    stop.request_stop();
    for (const ConvAlgorithm* algorithm : conv_algorithms())
      for (Pass pass : kAllPasses) {
        const auto plan = algorithm->plan(problem, pass, two_.size(), kAmple);
        std::vector<float> result(result_size(problem, pass));
        FloatBuffer scratch(plan->scratch_bytes() / sizeof(float));
        QVERIFY_EXCEPTION_THROWN(plan->run(arrays.operands(result.data()),
                                           std::as_writable_bytes(scratch.span()), two_, &stop),
                                 Interrupted);
      }
  }

  void a_plan_refuses_more_threads_or_less_scratch_than_planned() {
    const ConvProblem problem = make_problem(2, 2, 6, 3, 3);
    Random random(51);
    const Arrays arrays(problem, random);
    std::vector<float> result(problem.output_size());
    const auto plan = find_conv_algorithm("gemm")->plan(problem, Pass::kForward, 1, kAmple);
    FloatBuffer scratch(plan->scratch_bytes() / sizeof(float));
    const auto bytes = std::as_writable_bytes(scratch.span());
    QVERIFY_EXCEPTION_THROWN(plan->run(arrays.operands(result.data()), bytes, two_, nullptr),
                             Error);
    QVERIFY_EXCEPTION_THROWN(
        plan->run(arrays.operands(result.data()), bytes.first(bytes.size() - 4), one_, nullptr),
        Error);
  }
};

QTEST_GUILESS_MAIN(ConvAlgorithmsTest)
#include "conv_algorithms_test.moc"
