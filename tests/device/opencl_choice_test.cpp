// What an OpenCL device takes for a layer, and that it may.
#include "engine/device/opencl_choice.h"

#include <QTest>

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
    DeviceConvOptions different;
    different.algorithms = {"fft", "im2col", ""};
    VERIFY_CONTAINS(error_of(ErrorKind::kDevice, [&] { make(deep_layer(), different); }),
                    "cannot have different algorithms");
    const std::string unknown = error_of(ErrorKind::kUsage, [&] {
      make(deep_layer(), {"winograd", 0});
    });
    for (const std::string& name : opencl_algorithm_names(DeviceKind::kCpu))
      VERIFY_CONTAINS(unknown, name);
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
      const DeviceInfo& device = info();
      remembered_->remember(
          {p, Pass::kForward, device.compute_units, 0, device.name,
           std::string("Convoy ") + CONVOY_VERSION + ", " + device.backend + ", " + device.driver},
          name);
      const auto conv = make(p, {});
      QCOMPARE(conv->algorithm(Pass::kForward), name);
      QCOMPARE(conv->chosen_by(Pass::kForward), ChosenBy::kMemory);
    }
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
