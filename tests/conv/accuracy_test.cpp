// The error budget: against double precision no algorithm that a device would choose by itself may
// be less accurate (rms) than the direct method in single precision, which adds the products of
// each result one after the other.
#include <QTest>
#include <algorithm>
#include <cmath>

#include "tests/base/test_cores.h"
#include "tests/conv/random_convolution.h"

using namespace convoy;

namespace {

// One element of a pass's result as a sum in single precision, term by term.
class Direct {
 public:
  Direct(const ConvProblem& problem, const Arrays& arrays) : p_(problem), arrays_(arrays) {}

  std::vector<float> run(Pass pass) const {
    std::vector<float> result(result_size(p_, pass), 0.0f);
    for (int k = 0; k < p_.out_channels; ++k)
      for (int c = 0; c < p_.in_channels; ++c)
        for (int i = 0; i < p_.kernel_height; ++i)
          for (int j = 0; j < p_.kernel_width; ++j)
            for (int y = 0; y < p_.out_height(); ++y)
              for (int x = 0; x < p_.out_width(); ++x) {
                const int in_y = y * p_.stride_height - p_.padding.top + i;
                const int in_x = x * p_.stride_width - p_.padding.left + j;
                if (in_y < 0 || in_y >= p_.in_height || in_x < 0 || in_x >= p_.in_width) continue;
                const std::size_t in = batch() * index(c, in_y, in_x, p_.in_height, p_.in_width);
                const std::size_t out = batch() * index(k, y, x, p_.out_height(), p_.out_width());
                const std::size_t w =
                    (static_cast<std::size_t>(k) * static_cast<std::size_t>(p_.in_channels) +
                     static_cast<std::size_t>(c)) *
                        taps() +
                    static_cast<std::size_t>(i * p_.kernel_width + j);
                add(pass, in, out, w, result);
              }
    return result;
  }

 private:
  std::size_t batch() const { return static_cast<std::size_t>(p_.batch); }
  std::size_t taps() const { return static_cast<std::size_t>(p_.kernel_height * p_.kernel_width); }
  static std::size_t index(int channel, int y, int x, int height, int width) {
    return (static_cast<std::size_t>(channel) * static_cast<std::size_t>(height) +
            static_cast<std::size_t>(y)) *
               static_cast<std::size_t>(width) +
           static_cast<std::size_t>(x);
  }
  void add(Pass pass, std::size_t in, std::size_t out, std::size_t w,
           std::vector<float>& result) const {
    for (std::size_t n = 0; n < batch(); ++n) switch (pass) {
        case Pass::kForward:
          result[out + n] += arrays_.input[in + n] * arrays_.weight[w];
          break;
        case Pass::kBackwardData:
          result[in + n] += arrays_.grad_output[out + n] * arrays_.weight[w];
          break;
        case Pass::kBackwardWeights:
          result[w] += arrays_.input[in + n] * arrays_.grad_output[out + n];
          break;
      }
  }

  const ConvProblem p_;
  const Arrays& arrays_;
};

double rms_error(std::span<const float> result, std::span<const float> exact) {
  double error = 0, size = 0;
  for (std::size_t n = 0; n < exact.size(); ++n) {
    const double e = static_cast<double>(result[n]) - static_cast<double>(exact[n]);
    error += e * e;
    size += static_cast<double>(exact[n]) * static_cast<double>(exact[n]);
  }
  return std::sqrt(error / size);
}

}  // namespace

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
      const double direct = rms_error(Direct(problem, arrays).run(pass), exact);
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
