// Which algorithm a pass gets: by name, by necessity, by estimate, by measurement, from memory.
#include "engine/device/algorithm_choice.h"

#include <QTemporaryDir>
#include <QTest>
#include <chrono>
#include <set>
#include <thread>

#include "engine/device/cpu_device.h"
#include "engine/device/discovery.h"
#include "engine/device/limited_device.h"
#include "tests/conv/random_convolution.h"

using namespace convoy;

namespace {

constexpr std::size_t kTightLimit = 300'000;  // bytes: fft and gemm work in blocks

ConvProblem some_problem(int kernels = 40) {
  return make_problem(8, 20, 12, kernels, 3);
}

DeviceInfo some_device() {
  return cpu_device_info("cpu:0", {0});
}

// Takes no time with one algorithm, far longer than anything else in a step with the others.
class TimedConv : public DeviceConv {
 public:
  TimedConv(const ConvProblem& problem, std::array<std::string, 3> algorithms, std::string fast)
      : problem_(problem), algorithms_(std::move(algorithms)), fast_(std::move(fast)) {}
  const ConvProblem& problem() const override { return problem_; }
  void set_operand(Operand, const float*) override {}
  void run(Pass pass, float*, const StopToken* stop) override {
    if (stop) stop->throw_if_stopped();
    passes_run.insert(pass);
    if (algorithm(pass) != fast_) std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  std::string algorithm(Pass pass) const override {
    return algorithms_[static_cast<std::size_t>(pass)];
  }
  ChosenBy chosen_by(Pass) const override { return ChosenBy::kName; }
  double executed_flops(Pass) const override { return 0.0; }
  std::size_t scratch_bytes() const override { return 0; }

  static inline std::set<Pass> passes_run;

 private:
  ConvProblem problem_;
  std::array<std::string, 3> algorithms_;
  std::string fast_;
};

MakeConv fast_is(const std::string& fast) {
  return [fast](const std::array<std::string, 3>& algorithms) {
    return std::make_unique<TimedConv>(some_problem(), algorithms, fast);
  };
}

std::unique_ptr<DeviceConv> nobody_measures(const std::array<std::string, 3>&) {
  throw std::logic_error("something was measured");
}

DeviceConvOptions measured() {
  DeviceConvOptions options;
  options.scratch_limit = kTightLimit;
  options.measure = true;
  return options;
}

QString name(const AlgorithmChoices& choices, Pass pass) {
  return choices[static_cast<std::size_t>(pass)].algorithm->name();
}

ChosenBy why(const AlgorithmChoices& choices, Pass pass) {
  return choices[static_cast<std::size_t>(pass)].chosen_by;
}

}  // namespace

class AlgorithmChoiceTest : public QObject {
  Q_OBJECT

 private:
  QTemporaryDir cache_;

 private slots:
  void initTestCase() { qputenv("CONVOY_CACHE_DIR", cache_.path().toUtf8()); }

  void the_fastest_measured_is_taken_and_remembered() {
    for (const char* fast : {"direct", "fft", "gemm", "implicit-gemm"}) {
      ConvChoices choices("");
      const auto first =
          choose_algorithms(some_device(), some_problem(), measured(), choices, fast_is(fast));
      DeviceConvOptions no_measure = measured();
      no_measure.measure = false;
      for (const auto& options : {measured(), no_measure}) {
        const auto again =
            choose_algorithms(some_device(), some_problem(), options, choices, nobody_measures);
        for (const Pass pass : kAllPasses) {
          QCOMPARE(name(first, pass), fast);
          QCOMPARE(why(first, pass), ChosenBy::kMeasurement);
          QCOMPARE(name(again, pass), fast);
          QCOMPARE(why(again, pass), ChosenBy::kMemory);
        }
      }
    }
  }

  void a_share_nearly_as_large_is_not_measured_again() {
    ConvChoices choices("");
    choose_algorithms(some_device(), some_problem(40), measured(), choices, fast_is("gemm"));
    const auto near =
        choose_algorithms(some_device(), some_problem(43), measured(), choices, nobody_measures);
    QCOMPARE(name(near, Pass::kForward), "gemm");
    QVERIFY_EXCEPTION_THROWN(
        choose_algorithms(some_device(), some_problem(60), measured(), choices, nobody_measures),
        std::logic_error);
    // What is further away is still better than an estimate.
    DeviceConvOptions options = measured();
    options.measure = false;
    const auto further =
        choose_algorithms(some_device(), some_problem(60), options, choices, nobody_measures);
    QCOMPARE(name(further, Pass::kForward), "gemm");
    const auto far =
        choose_algorithms(some_device(), some_problem(100), options, choices, nobody_measures);
    QCOMPARE(why(far, Pass::kForward), ChosenBy::kEstimate);
  }

  void another_limit_or_device_is_measured_again() {
    ConvChoices choices("");
    choose_algorithms(some_device(), some_problem(), measured(), choices, fast_is("gemm"));
    DeviceConvOptions tighter = measured();
    tighter.scratch_limit -= 1000;
    QVERIFY_EXCEPTION_THROWN(
        choose_algorithms(some_device(), some_problem(), tighter, choices, nobody_measures),
        std::logic_error);
    DeviceInfo other = some_device();
    other.backend = "another BLAS";
    QVERIFY_EXCEPTION_THROWN(
        choose_algorithms(other, some_problem(), measured(), choices, nobody_measures),
        std::logic_error);
  }

  void without_a_measurement_the_estimate_decides() {
    ConvChoices choices("");
    DeviceConvOptions options = measured();
    options.measure = false;
    const auto chosen =
        choose_algorithms(some_device(), some_problem(), options, choices, nobody_measures);
    for (const Pass pass : kAllPasses) {
      QCOMPARE(why(chosen, pass), ChosenBy::kEstimate);
      QCOMPARE(name(chosen, pass), ranked_conv_algorithms(some_problem(), pass, 1).front()->name());
    }
  }

  void a_pass_that_is_not_needed_is_not_measured() {
    ConvChoices choices("");
    DeviceConvOptions options = measured();
    options.needs_grad_input = false;
    TimedConv::passes_run.clear();
    const auto chosen =
        choose_algorithms(some_device(), some_problem(), options, choices, fast_is("gemm"));
    QVERIFY(!TimedConv::passes_run.contains(Pass::kBackwardData));
    QVERIFY(TimedConv::passes_run.contains(Pass::kBackwardWeights));
    QCOMPARE(why(chosen, Pass::kBackwardData), ChosenBy::kEstimate);
    QCOMPARE(why(chosen, Pass::kForward), ChosenBy::kMeasurement);
  }

  void names_are_obeyed_and_never_measured() {
    ConvChoices choices("");
    DeviceConvOptions options = measured();
    options.algorithm = "gemm";
    options.algorithms[1] = "fft";
    const auto chosen =
        choose_algorithms(some_device(), some_problem(), options, choices, nobody_measures);
    QCOMPARE(name(chosen, Pass::kForward), "gemm");
    QCOMPARE(name(chosen, Pass::kBackwardData), "fft");
    QCOMPARE(why(chosen, Pass::kBackwardData), ChosenBy::kName);
  }

  void where_there_is_no_other_nothing_is_measured() {
    ConvChoices choices("");
    DeviceConvOptions options = measured();
    ConvProblem strided = some_problem();
    // For gemm alone: the others do backward-data by few phases only, and the reference is no
    // candidate.
    strided.stride_height = 65;
    const auto chosen_strided =
        choose_algorithms(some_device(), strided, options, choices, fast_is("gemm"));
    QCOMPARE(name(chosen_strided, Pass::kBackwardData), "gemm");
    QCOMPARE(why(chosen_strided, Pass::kBackwardData), ChosenBy::kNecessity);
    options.scratch_limit = 1;
    const auto chosen =
        choose_algorithms(some_device(), some_problem(), options, choices, nobody_measures);
    QCOMPARE(name(chosen, Pass::kForward), "reference");
    QCOMPARE(why(chosen, Pass::kForward), ChosenBy::kNecessity);
  }

  void a_choice_outlives_the_process() {
    const std::filesystem::path file = std::filesystem::path(cache_.path().toStdString()) / "own";
    ConvChoices choices(file);
    choose_algorithms(some_device(), some_problem(), measured(), choices, fast_is("fft"));
    ConvChoices of_another(file);
    const auto chosen =
        choose_algorithms(some_device(), some_problem(), measured(), of_another, nobody_measures);
    for (const Pass pass : kAllPasses) QCOMPARE(name(chosen, pass), "fft");
  }

  void a_measurement_can_be_stopped() {
    ConvChoices choices("");
    StopToken stop;
    stop.request_stop();
    DeviceConvOptions options = measured();
    options.stop = &stop;
    QVERIFY_EXCEPTION_THROWN(
        choose_algorithms(some_device(), some_problem(), options, choices, fast_is("gemm")),
        Interrupted);
    QVERIFY_EXCEPTION_THROWN(
        choose_algorithms(some_device(), some_problem(), measured(), choices, nobody_measures),
        std::logic_error);  // nothing was remembered
  }

  // The device itself, with the real algorithms: whichever wins.
  void a_device_measures_and_remembers() {
    const auto device = limited_device(
        open_device("cpu:" + std::to_string(available_cores().front())), kTightLimit);
    DeviceConvOptions options;
    options.measure = true;
    const auto first = device->make_conv(some_problem(17), options);
    const auto again = device->make_conv(some_problem(17), options);
    const auto quick = device->make_conv(some_problem(17));
    for (const Pass pass : kAllPasses) {
      QCOMPARE(first->chosen_by(pass), ChosenBy::kMeasurement);
      QCOMPARE(again->chosen_by(pass), ChosenBy::kMemory);
      QCOMPARE(quick->chosen_by(pass), ChosenBy::kMemory);
      QCOMPARE(again->algorithm(pass), first->algorithm(pass));
      QCOMPARE(quick->algorithm(pass), first->algorithm(pass));
    }
    QVERIFY(first->scratch_bytes() <= kTightLimit);
    QCOMPARE(device->planned_scratch({some_problem(17)}), first->scratch_bytes());
  }
};

QTEST_GUILESS_MAIN(AlgorithmChoiceTest)
#include "algorithm_choice_test.moc"
