// What an OpenCL device takes for a layer, and that it may.
#include "engine/device/opencl_choice.h"

#include <QTest>

#include "engine/device/conv_sources.h"
#include "engine/device/discovery.h"
#include "engine/device/opencl_fft_conv.h"
#include "tests/base/error_of.h"
#include "tests/conv/error_budget.h"
#include "tests/device/first_opencl_device.h"
#include "tests/device/opencl_conv_case.h"

using namespace convoy;
using convoy::test::error_of;

namespace {

// Where transforms take a tenth of the direct operations.
ConvProblem deep_layer() {
  return make_problem(32, 64, 14, 64, 5);
}

}  // namespace

class OpenClChoiceTest : public QObject {
  Q_OBJECT

 private slots:
  void initTestCase() {
    context_ = shared_opencl_context(first_opencl_device());
    pool_ = std::make_unique<ThreadPool>(available_cores());
  }
  void cleanupTestCase() { pool_.reset(); }
  void init() { remembered_ = std::make_unique<ConvChoices>(std::filesystem::path()); }

  void names_choose() {
    for (const std::string& name : opencl_algorithm_names(DeviceKind::kCpu)) {
      const auto conv = make(deep_layer(), {name, 0});
      for (const Pass pass : kAllPasses) {
        QCOMPARE(conv->algorithm(pass), name);
        QCOMPARE(conv->chosen_by(pass), ChosenBy::kName);
      }
    }
    QCOMPARE(make(deep_layer(), {"fft", 0})->algorithm(Pass::kForward),
             "fft+" + product_names(info().kind).front());
    const std::string unknown = error_of(ErrorKind::kUsage, [&] {
      make(deep_layer(), {"winograd", 0});
    });
    for (const std::string& name : opencl_algorithm_names(DeviceKind::kCpu))
      VERIFY_CONTAINS(unknown, name);
  }

  void names_choose_for_each_pass() {
    Random random(test::logged_seed(42));
    const ConvProblem p = make_problem(16, 32, 10, 32, 3);
    const Arrays arrays(p, random);
    for (const std::array<std::string, 3>& names : std::vector<std::array<std::string, 3>>{
             {"fft+vector", "im2col+tiled", "fft+tiled"}, {"im2col+vector", "", "fft+vector"}}) {
      DeviceConvOptions options{"im2col+vector", 0};
      options.algorithms = names;
      const auto conv = make(p, options);
      set_operands(*conv, arrays);
      for (const Pass pass : kAllPasses) {
        const std::string& name = names[static_cast<std::size_t>(pass)];
        QCOMPARE(conv->algorithm(pass), name.empty() ? options.algorithm : name);
        QCOMPARE(conv->chosen_by(pass), ChosenBy::kName);
        GuardedBuffer result(result_size(p, pass));
        conv->run(pass, result.data(), nullptr);
        QVERIFY(rms_error(result.span(), run_reference(p, pass, arrays, *pool_)) < 1e-6);
      }
    }
    // What is left open is chosen, also by measuring, which is not remembered: it is for this name.
    DeviceConvOptions one;
    one.algorithms = {"", "fft", ""};
    for (const bool measured : {false, true}) {
      one.measure = measured;
      const auto conv = make(p, one);
      QVERIFY(conv->algorithm(Pass::kBackwardData).starts_with("fft+"));
      QCOMPARE(conv->chosen_by(Pass::kBackwardData), ChosenBy::kName);
      QCOMPARE(conv->chosen_by(Pass::kForward),
               measured ? ChosenBy::kMeasurement : ChosenBy::kEstimate);
    }
    QCOMPARE(make(p, {})->chosen_by(Pass::kForward), ChosenBy::kEstimate);
    // A pass that is never run goes with forward.
    one = {};
    one.algorithms = {"im2col", "", "fft"};
    one.needs_grad_input = false;
    QVERIFY(make(p, one)->algorithm(Pass::kBackwardData).starts_with("im2col+"));
  }

  void estimates_choose_where_nothing_is_measured() {
    const auto conv = make(deep_layer(), {});
    QVERIFY(conv->algorithm(Pass::kForward).starts_with("fft+"));
    QVERIFY(conv->executed_flops(Pass::kForward) < deep_layer().flops() / 4);
    QVERIFY(conv->chosen_by(Pass::kForward) == ChosenBy::kEstimate ||
            conv->chosen_by(Pass::kForward) == ChosenBy::kNecessity);
  }

  void what_transforms_cannot_do_or_do_badly_is_unfolded() {
    ConvProblem strided = deep_layer();
    strided.stride_height = strided.stride_width = 2;
    const ConvProblem short_sums = make_problem(32, 3, 32, 64, 5);  // 75 terms
    for (const ConvProblem& p : {strided, short_sums}) {
      const auto conv = make(p, {});
      QVERIFY(conv->algorithm(Pass::kForward).starts_with("im2col+"));
      QCOMPARE(conv->chosen_by(Pass::kForward), ChosenBy::kNecessity);
    }
    // The sums of this one's backward-data are short, which matters only where it is run.
    const ConvProblem few_kernels = make_problem(32, 128, 14, 4, 5);
    QVERIFY(make(few_kernels, {})->algorithm(Pass::kForward).starts_with("im2col+"));
    DeviceConvOptions first_layer;
    first_layer.needs_grad_input = false;
    QVERIFY(make(few_kernels, first_layer)->algorithm(Pass::kForward).starts_with("fft+"));
  }

  void transforms_that_do_not_fit_are_left_out() {
    const ConvProblem p = deep_layer();
    std::size_t limit = kPlenty;
    while (true) {
      try {
        OpenClFftConv(context_, p, product_names(info().kind).front(), opencl_limits(limit, true));
      } catch (const Error&) {
        break;
      }
      limit -= limit / 4;
    }
    const auto conv = make(p, {}, limit);
    QVERIFY(conv->algorithm(Pass::kForward).starts_with("im2col+"));
    QVERIFY(conv->scratch_bytes() <= limit);
    VERIFY_CONTAINS(error_of(ErrorKind::kDevice, [&] { make(p, {}, 16); }), "16 bytes");
  }

  void a_measurement_is_made_once() {
    // Estimates leave both.
    const ConvProblem p = make_problem(16, 32, 10, 32, 3);
    DeviceConvOptions measuring;
    measuring.measure = true;
    const auto measured = make(p, measuring);
    QCOMPARE(measured->chosen_by(Pass::kForward), ChosenBy::kMeasurement);
    for (const DeviceConvOptions& options : {measuring, DeviceConvOptions{}}) {
      const auto again = make(p, options);
      QCOMPARE(again->chosen_by(Pass::kForward), ChosenBy::kMemory);
      QCOMPARE(again->algorithm(Pass::kForward), measured->algorithm(Pass::kForward));
    }
    StopToken stop;
    stop.request_stop();
    measuring.stop = &stop;
    init();
    QVERIFY_THROWS_EXCEPTION(Interrupted, make(p, measuring));
  }

  void what_was_remembered_decides() {
    const ConvProblem p = make_problem(16, 32, 10, 32, 3);
    for (const std::string domain : {"fft+", "im2col+"}) {
      init();
      const std::string name = domain + product_names(info().kind).front();
      for (const Pass pass : kAllPasses) remembered_->remember(key(p, pass), name);
      const auto conv = make(p, {});
      QCOMPARE(conv->algorithm(Pass::kForward), name);
      QCOMPARE(conv->chosen_by(Pass::kForward), ChosenBy::kMemory);
    }
  }

  void what_was_remembered_of_each_pass_decides() {
    const ConvProblem p = make_problem(16, 32, 10, 32, 3);
    const std::string product = "+" + product_names(info().kind).front();
    const std::string names[] = {"fft" + product, "im2col" + product, "fft" + product};
    for (const Pass pass : kAllPasses)
      remembered_->remember(key(p, pass), names[static_cast<std::size_t>(pass)]);
    std::size_t bytes = 0;
    {
      const auto conv = make(p, {});
      for (const Pass pass : kAllPasses) {
        QCOMPARE(conv->algorithm(pass), names[static_cast<std::size_t>(pass)]);
        QCOMPARE(conv->chosen_by(pass), ChosenBy::kMemory);
      }
      bytes = conv->scratch_bytes();
    }
    // Where memory is short the mix is cut, or there is none, but the limit holds.
    bool cut = false, single = false;
    for (std::size_t limit = bytes; limit > 1000; limit /= 2) {
      std::unique_ptr<DeviceConv> conv;
      try {
        conv = make(p, {}, limit);
      } catch (const Error&) {
        break;  // nothing fits
      }
      QVERIFY(conv->scratch_bytes() <= limit);
      cut |= conv->algorithm(Pass::kForward) != conv->algorithm(Pass::kBackwardData);
      single |= conv->algorithm(Pass::kForward) == conv->algorithm(Pass::kBackwardData);
    }
    QVERIFY(cut && single);
    // Some of it: the rest is measured beside it.
    init();
    remembered_->remember(key(p, Pass::kForward), names[0]);
    DeviceConvOptions measuring;
    measuring.measure = true;
    const auto conv = make(p, measuring);
    QCOMPARE(conv->algorithm(Pass::kForward), names[0]);
    QCOMPARE(conv->chosen_by(Pass::kForward), ChosenBy::kMemory);
    QCOMPARE(conv->chosen_by(Pass::kBackwardData), ChosenBy::kMeasurement);
    QCOMPARE(make(p, {})->chosen_by(Pass::kBackwardData), ChosenBy::kMemory);
  }

  // Wherever a device would take them.
  void transforms_are_as_accurate_as_direct_sums_data() {
    add_error_budget_rows();
    add_layer_row(16, 16, 40, 16, 3, 1);
    add_layer_row(2, 130, 9, 130, 1, 0);
  }
  void transforms_are_as_accurate_as_direct_sums() {
    QFETCH(ConvProblem, layer);
    Random random(test::logged_seed(41));
    const Arrays arrays = normal_arrays(layer, random);
    OpenClFftConv conv(context_, layer, product_names(info().kind).front(),
                       opencl_limits(2 * kPlenty, true));
    set_operands(conv, arrays);
    for (const Pass pass : kAllPasses) {
      if (!find_conv_algorithm("fft")->is_accurate(layer, pass)) continue;
      const ErrorBudget budget(layer, arrays, pass, *pool_);
      std::vector<float> result(budget.result_size());
      conv.run(pass, result.data(), nullptr);
      QVERIFY(budget.holds_for(conv.algorithm(pass), result));
    }
  }

 private:
  const DeviceInfo& info() const { return context_->entry().info; }
  ConvChoiceKey key(const ConvProblem& p, Pass pass) const {
    const DeviceInfo& device = info();
    return {p,
            pass,
            device.compute_units,
            0,
            device.name,
            std::string("Convoy ") + CONVOY_VERSION + " " + std::string(conv_sources_hash()) +
                ", " + device.backend + ", " + device.driver};
  }
  std::unique_ptr<DeviceConv> make(const ConvProblem& p, const DeviceConvOptions& options,
                                   std::size_t limit = kPlenty) {
    return make_opencl_conv(context_, info(), p, opencl_limits(limit, true), options, *remembered_);
  }

  std::shared_ptr<OpenClContext> context_;
  std::unique_ptr<ThreadPool> pool_;
  std::unique_ptr<ConvChoices> remembered_;
};

QTEST_GUILESS_MAIN(OpenClChoiceTest)
#include "opencl_choice_test.moc"
