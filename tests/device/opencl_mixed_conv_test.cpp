// Layers whose passes use different algorithms on an OpenCL device.
#include "engine/device/opencl_mixed_conv.h"

#include <QTest>

#include "engine/device/discovery.h"
#include "engine/device/opencl_fft_conv.h"
#include "engine/device/opencl_im2col_conv.h"
#include "tests/device/first_opencl_device.h"
#include "tests/device/opencl_conv_case.h"
#include "tests/device/opencl_layer.h"

using namespace convoy;
using convoy::test::logged_seed;

namespace {

using Names = std::array<std::string, 3>;

std::vector<Names> all_mixes(const std::vector<std::string>& algorithms) {
  std::vector<Names> mixes;
  for (const std::string& first : algorithms)
    for (const std::string& second : algorithms)
      for (const std::string& third : algorithms)
        if (first != second || second != third) mixes.push_back({first, second, third});
  return mixes;
}

QString text(const Names& names, const ConvProblem& p) {
  return QString::fromStdString(names[0] + ", " + names[1] + ", " + names[2] + " of ") +
         problem_text(p);
}

}  // namespace

class OpenClMixedConvTest : public QObject {
  Q_OBJECT

 private slots:
  void initTestCase() {
    context_ = shared_opencl_context(first_opencl_device());
    pool_ = std::make_unique<ThreadPool>(available_cores());
  }
  void cleanupTestCase() { pool_.reset(); }

  void every_mix_is_right_data() {
    QTest::addColumn<bool>("in_place");
    QTest::addColumn<int>("staging");
    QTest::newRow("in place") << true << 0;
    QTest::newRow("copied") << false << 0;
    QTest::newRow("staged") << false << 500;
  }
  void every_mix_is_right() {
    QFETCH(bool, in_place);
    QFETCH(int, staging);
    Random random(logged_seed(81));
    for (const Names& names : all_mixes({"im2col", "fft"})) {
      const ConvProblem p = random_transformable(random);
      const auto conv =
          make(names, p, opencl_limits(kPlenty, in_place, static_cast<std::size_t>(staging)));
      for (const Pass pass : kAllPasses)
        QCOMPARE(conv->algorithm(pass), names[static_cast<std::size_t>(pass)] + "+vector");
      Arrays arrays(p, random);
      compare_with_operands_set_again(*conv, arrays, random,
                                      [&] { compare(*conv, arrays, text(names, p)); });
    }
  }

  // A pass does the same whatever does the others.
  void a_pass_gives_the_bits_of_its_algorithm() {
    Random random(logged_seed(82));
    const ConvProblem p = make_problem(19, 12, 12, 20, 5);
    const Arrays arrays = normal_arrays(p, random);
    const OpenClLimits limits = opencl_limits(kPlenty, true);
    for (const Names& names : all_mixes({"im2col", "fft"})) {
      const auto mixed = make(names, p, limits);
      set_operands(*mixed, arrays);
      for (const Pass pass : kAllPasses) {
        const auto alone = make_one(names[static_cast<std::size_t>(pass)], p, limits);
        set_operands(*alone, arrays);
        GuardedBuffer one(result_size(p, pass)), other(result_size(p, pass));
        mixed->run(pass, one.data(), nullptr);
        alone->run(pass, other.data(), nullptr);
        QVERIFY2(std::memcmp(one.data(), other.data(), one.span().size_bytes()) == 0,
                 qPrintable(text(names, p)));
      }
    }
  }

  // Of what the layer may use each takes a part, and is cut to it.
  void a_limit_holds_for_all_together() {
    Random random(logged_seed(83));
    int cut = 0;
    for (const Names& names : {Names{"im2col", "fft", "fft"}, Names{"fft", "im2col", "fft"},
                               Names{"fft", "fft", "im2col"}}) {
      const ConvProblem p = make_problem(20, 6, 9, 7, 3);
      const Arrays arrays(p, random);
      std::size_t limit = make(names, p, opencl_limits(kPlenty, false))->device_bytes();
      for (bool fits = true; fits; limit -= limit / 3) {
        try {
          const auto conv = make(names, p, opencl_limits(limit, false));
          QVERIFY(conv->device_bytes() <= limit);
          set_operands(*conv, arrays);
          compare(*conv, arrays, text(names, p));
          ++cut;
        } catch (const Error& error) {
          QVERIFY2(QString(error.what()).contains("may be used"), error.what());
          fits = false;
        }
      }
    }
    QVERIFY(cut > 6);
  }

  void parts_give_the_bits_of_the_whole() {
    Random random(logged_seed(85));
    for (const Names& names : {Names{"im2col", "fft", "fft"}, Names{"fft", "im2col", "fft"}}) {
      const ConvProblem p = make_problem(50, 6, 9, 7, 3);
      const Arrays arrays = normal_arrays(p, random);
      OpenClLimits limits = opencl_limits(kPlenty, true);
      limits.in_parts = true;
      compare_parts_with_whole(*make(names, p, limits), arrays, random);
    }
  }

  // The smaller of two leaves to the larger what it does not need.
  void who_needs_little_leaves_the_rest() {
    const ConvProblem p = make_problem(20, 6, 9, 7, 3);
    const OpenClLimits plenty = opencl_limits(kPlenty, true);
    const auto alone = make_one("fft", p, plenty);
    const std::size_t both = make({"fft", "fft", "im2col"}, p, plenty)->device_bytes();
    const auto mixed = make({"fft", "fft", "im2col"}, p, opencl_limits(both, true));
    QCOMPARE(mixed->device_bytes(), both);
    QCOMPARE(mixed->of(Pass::kForward).device_bytes(), alone->device_bytes());
    QVERIFY(2 * alone->device_bytes() > both || 2 * (both - alone->device_bytes()) > both);
  }

  // The device has less than it says: who needs some gets what another holds.
  void memory_that_another_holds_is_given_back() {
    Random random(logged_seed(84));
    const ConvProblem p = make_problem(20, 6, 9, 7, 3);
    const Arrays arrays(p, random);
    const auto conv = make({"fft", "im2col", "fft"}, p, opencl_limits(kPlenty, false));
    set_operands(*conv, arrays);
    FloatBuffer output(p.output_size());
    conv->run(Pass::kForward, output.data(), nullptr);
    const int held = opencl_layer::held()["buffer"];
    int left = held;
    {
      // Its second: what has been given back is counted then.
      opencl_layer::inject({CL_MEM_OBJECT_ALLOCATION_FAILURE, 0, false, "clCreateBuffer"});
      const opencl_layer::OnCall second("clCreateBuffer", 1,
                                        [&] { left = opencl_layer::held()["buffer"]; });
      FloatBuffer grad_input(p.input_size());
      conv->run(Pass::kBackwardData, grad_input.data(), nullptr);
      QCOMPARE(opencl_layer::end_injection().failed, 1);
    }
    QVERIFY2(left < held, qPrintable(QString("%1 of %2").arg(left).arg(held)));
    compare(*conv, arrays, "afterwards");
  }

 private:
  std::unique_ptr<OpenClConv> make_one(const std::string& name, const ConvProblem& p,
                                       const OpenClLimits& limits) const {
    if (name == "fft") return std::make_unique<OpenClFftConv>(context_, p, "vector", limits);
    return std::make_unique<OpenClIm2colConv>(context_, p, "vector", limits);
  }
  std::unique_ptr<OpenClMixedConv> make(const Names& names, const ConvProblem& p,
                                        const OpenClLimits& limits) const {
    return std::make_unique<OpenClMixedConv>(
        names, limits,
        [&](const std::string& name, const OpenClLimits& own) { return make_one(name, p, own); });
  }

  void compare(OpenClMixedConv& conv, const Arrays& arrays, const QString& what) {
    for (const Pass pass : kAllPasses) {
      const auto expected = run_reference(conv.problem(), pass, arrays, *pool_);
      GuardedBuffer result(expected.size());
      conv.run(pass, result.data(), nullptr);
      const double error = rms_error(result.span(), expected);
      QVERIFY2(error <= 1e-6,
               qPrintable(QString("%1: %2, error %3").arg(what, pass_name(pass)).arg(error)));
      QVERIFY(result.guards_are_whole());
    }
  }

  std::shared_ptr<OpenClContext> context_;
  std::unique_ptr<ThreadPool> pool_;
};

QTEST_GUILESS_MAIN(OpenClMixedConvTest)
#include "opencl_mixed_conv_test.moc"
