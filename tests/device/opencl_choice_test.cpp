// What an OpenCL device takes for a layer, and that it may.
#include "engine/device/opencl_choice.h"

#include <QTest>

#include "engine/device/discovery.h"
#include "engine/device/opencl_fft_conv.h"
#include "tests/conv/direct_sums.h"
#include "tests/device/first_opencl_device.h"

using namespace convoy;

namespace {

// Where transforms take a tenth of the direct operations.
ConvProblem deep_layer() {
  return make_problem(32, 64, 14, 64, 5);
}

OpenClLimits limits(std::size_t total) {
  return {total, total, 1e15, 4096, true};
}

QString what_of(const std::function<void()>& work, ErrorKind kind) {
  try {
    work();
  } catch (const Error& error) {
    return error.kind() == kind ? QString(error.what()) : "wrong kind: " + QString(error.what());
  }
  return "no error";
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
    QVERIFY(what_of([&] { make(deep_layer(), different); }, ErrorKind::kDevice)
                .contains("cannot have different algorithms"));
    const QString unknown = what_of(
        [&] {
          make(deep_layer(), {"winograd", 0});
        },
        ErrorKind::kUsage);
    for (const std::string& name : opencl_algorithm_names(DeviceKind::kCpu))
      QVERIFY2(unknown.contains(name.c_str()), qPrintable(unknown));
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
    std::size_t limit = std::size_t{1} << 30;
    while (true) {
      try {
        OpenClFftConv(context_, p, product_names(info().kind).front(), limits(limit));
      } catch (const Error&) {
        break;
      }
      limit -= limit / 4;
    }
    const auto conv = make(p, {}, limit);
    QVERIFY(conv->algorithm(Pass::kForward).starts_with("im2col+"));
    QVERIFY(conv->scratch_bytes() <= limit);
    QVERIFY(what_of([&] { make(p, {}, 16); }, ErrorKind::kDevice).contains("16 bytes"));
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

  // The error budget: against double precision transforms are no less accurate than direct sums in
  // single precision, wherever a device would take them.
  void transforms_are_as_accurate_as_direct_sums_data() {
    QTest::addColumn<int>("batch");
    QTest::addColumn<int>("channels");
    QTest::addColumn<int>("size");
    QTest::addColumn<int>("kernels");
    QTest::addColumn<int>("kernel");
    QTest::addColumn<int>("padding");
    const auto row = [](int batch, int channels, int size, int kernels, int kernel, int padding) {
      QTest::addRow("%d -> %d, %dx%d on %dx%d, padding %d, batch %d", channels, kernels, kernel,
                    kernel, size, size, padding, batch)
          << batch << channels << size << kernels << kernel << padding;
    };
    row(16, 64, 14, 48, 5, 0);
    row(4, 300, 14, 100, 5, 0);
    row(16, 64, 16, 64, 3, 1);
    row(32, 128, 4, 128, 3, 1);
    row(4, 2, 30, 6, 11, 5);
    row(3, 24, 27, 7, 7, 3);
    row(16, 16, 40, 16, 3, 1);
    row(2, 130, 9, 130, 1, 0);
  }
  void transforms_are_as_accurate_as_direct_sums() {
    QFETCH(int, batch);
    QFETCH(int, channels);
    QFETCH(int, size);
    QFETCH(int, kernels);
    QFETCH(int, kernel);
    QFETCH(int, padding);
    ConvProblem p = make_problem(batch, channels, size, kernels, kernel);
    p.padding = Padding::all(padding);
    constexpr std::uint64_t kSeed = 41;
    Random random(kSeed);
    Arrays arrays(p);
    fill_normal(arrays.input, random);
    fill_normal(arrays.weight, random);
    fill_normal(arrays.grad_output, random);
    OpenClFftConv conv(context_, p, product_names(info().kind).front(),
                       limits(std::size_t{1} << 31));
    conv.set_operand(Operand::kInput, arrays.input.data());
    conv.set_operand(Operand::kWeight, arrays.weight.data());
    conv.set_operand(Operand::kGradOutput, arrays.grad_output.data());
    for (const Pass pass : kAllPasses) {
      if (!find_conv_algorithm("fft")->is_accurate(p, pass)) continue;
      const auto exact = run_reference(p, pass, arrays, *pool_);
      const double direct = rms_error(DirectSums(p, arrays).run(pass), exact);
      std::vector<float> result(exact.size());
      conv.run(pass, result.data(), nullptr);
      const double error = rms_error(result, exact);
      qInfo("%s: rms error %.2e, direct %.2e, seed %d", pass_name(pass), error, direct,
            static_cast<int>(kSeed));
      // Two direct sums in different orders differ that much by chance.
      QVERIFY(error <= 1.1 * direct);
    }
  }

 private:
  const DeviceInfo& info() const { return context_->entry().info; }
  std::unique_ptr<DeviceConv> make(const ConvProblem& p, const DeviceConvOptions& options,
                                   std::size_t limit = std::size_t{1} << 30) {
    return make_opencl_conv(context_, info(), p, limits(limit), options, *remembered_);
  }

  std::shared_ptr<OpenClContext> context_;
  std::unique_ptr<ThreadPool> pool_;
  std::unique_ptr<ConvChoices> remembered_;
};

QTEST_GUILESS_MAIN(OpenClChoiceTest)
#include "opencl_choice_test.moc"
