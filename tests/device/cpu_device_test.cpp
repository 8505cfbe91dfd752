// CPU devices: their cores, and convolution as a device offers it.
#include "engine/device/cpu_device.h"

#include <sched.h>

#include <QTemporaryDir>
#include <QTest>
#include <cmath>

#include "engine/conv/polyphase_conv.h"
#include "engine/device/discovery.h"
#include "engine/device/limited_device.h"
#include "tests/base/error_of.h"
#include "tests/conv/random_convolution.h"

using namespace convoy;
using convoy::test::error_of;

namespace {

ConvProblem small_problem() {
  ConvProblem p = make_problem(5, 4, 9, 6, 3);
  p.padding = Padding::all(1);
  return p;
}

// Of integers, whose results are integers; a transform rounds.
std::vector<float> run(DeviceConv& conv, Pass pass, const StopToken* stop = nullptr) {
  std::vector<float> result(result_size(conv.problem(), pass), NAN);
  conv.run(pass, result.data(), stop);
  if (conv.algorithm(pass) == "fft")
    for (float& value : result) value = std::round(value);
  return result;
}

void set_operands(DeviceConv& conv, const Arrays& arrays) {
  conv.set_operand(Operand::kInput, arrays.input.data());
  conv.set_operand(Operand::kWeight, arrays.weight.data());
  conv.set_operand(Operand::kGradOutput, arrays.grad_output.data());
}

}  // namespace

class CpuDeviceTest : public QObject {
  Q_OBJECT

 private:
  QTemporaryDir cache_;

 private slots:
  // What other tests measured must not decide here.
  void initTestCase() { qputenv("CONVOY_CACHE_DIR", cache_.path().toUtf8()); }

  void a_device_says_what_it_is() {
    const DeviceInfo info = open_device("cpu")->info();
    QCOMPARE(info.id, "cpu");
    QVERIFY(info.kind == DeviceKind::kCpu);
    QVERIFY(!info.name.empty());
    QVERIFY2(QString::fromStdString(info.backend).startsWith("OpenBLAS 0."), info.backend.c_str());
    QVERIFY(info.cores == available_cores());
    QCOMPARE(info.compute_units, static_cast<int>(info.cores.size()));
    QVERIFY(info.memory_bytes > (1u << 20));
  }

  void a_device_computes_on_its_own_cores() {
    const int core = available_cores().back();
    const std::string id = "cpu:" + std::to_string(core);
    const auto device = open_device(id);
    QCOMPARE(device->info().id, id);
    QVERIFY(device->info().cores == std::vector<int>{core});
    QVERIFY(device->host_pool());
    QCOMPARE(device->host_pool()->size(), 1);
    int seen = -1;
    device->host_pool()->parallel_for(1, [&](std::size_t, int) { seen = sched_getcpu(); });
    QCOMPARE(seen, core);
    QCOMPARE(open_device("cpu")->host_pool()->size(), static_cast<int>(available_cores().size()));
  }

  void pinning_a_thread_does_not_hide_cores() {
    const std::vector<int> before = available_cores();
    cpu_set_t old_set, one_core;
    sched_getaffinity(0, sizeof(old_set), &old_set);
    CPU_ZERO(&one_core);
    CPU_SET(before.front(), &one_core);
    sched_setaffinity(0, sizeof(one_core), &one_core);
    const std::vector<int> after = available_cores();
    sched_setaffinity(0, sizeof(old_set), &old_set);
    QVERIFY(after == before);
  }

  void a_convolution_is_the_reference() {
    const auto device = open_device("cpu");
    Random random(61);
    for (int n = 0; n < 20; ++n) {
      const ConvProblem problem = random_problem(random);
      const Arrays arrays(problem, random);
      for (const char* name : {"", "fft", "gemm", "reference"}) {
        if (*name && !find_conv_algorithm(name)->supports(problem, Pass::kForward)) continue;
        const auto conv = device->make_conv(problem, {.algorithm = name, .scratch_limit = 0});
        QVERIFY(conv->problem() == problem);
        set_operands(*conv, arrays);
        for (Pass pass : kAllPasses) {
          const auto ranked = ranked_conv_algorithms(problem, pass, device->info().compute_units);
          QCOMPARE(conv->algorithm(pass), *name ? name : ranked.front()->name());
          // Strides may leave out all of a small input but its padding.
          QVERIFY(conv->executed_flops(pass) > 0 || input_phases(problem).empty());
          QVERIFY2(run(*conv, pass) == run_reference(problem, pass, arrays, *device->host_pool()),
                   qPrintable(problem_text(problem)));
        }
      }
    }
  }

  // Several layers of one device in turn, the later ones growing the scratch that all share; and a
  // convolution that outlives its device.
  void convolutions_share_a_device() {
    auto device = open_device("cpu");
    Random random(71);
    ConvProblem large = small_problem();
    large.batch = 64;
    large.in_channels = 30;
    const Arrays small_arrays(small_problem(), random), large_arrays(large, random);
    const auto small_conv = device->make_conv(small_problem());
    const auto large_conv = device->make_conv(large);
    QVERIFY(large_conv->scratch_bytes() > small_conv->scratch_bytes());
    set_operands(*small_conv, small_arrays);
    set_operands(*large_conv, large_arrays);
    ThreadPool pool({available_cores().front()});
    for (int round = 0; round < 2; ++round) {
      for (Pass pass : kAllPasses) {
        QVERIFY(run(*small_conv, pass) == run_reference(small_problem(), pass, small_arrays, pool));
        QVERIFY(run(*large_conv, pass) == run_reference(large, pass, large_arrays, pool));
      }
      device.reset();
    }
  }

  // Though their spectra take several times the layer: the last pass transforms nothing any more.
  void small_layers_share_every_spectrum() {
    const auto device = open_device("cpu");
    Random random(83);
    ConvProblem problem = make_problem(16, 40, 8, 40, 3);
    problem.padding = Padding::all(1);
    const Arrays arrays(problem, random);
    for (const char* name : {"fft", "winograd"}) {
      const auto conv = device->make_conv(problem, {.algorithm = name});
      set_operands(*conv, arrays);
      for (Pass pass : kAllPasses)
        QVERIFY(run(*conv, pass) == run_reference(problem, pass, arrays, *device->host_pool()));
      QVERIFY(conv->phases(Pass::kForward).transform_ms > 0);
      QCOMPARE(conv->phases(kAllPasses[2]).transform_ms, 0.0);
    }
  }

  void scratch_stays_within_its_limit() {
    const auto device = open_device("cpu");
    const auto conv =
        device->make_conv(small_problem(), {.algorithm = "gemm", .scratch_limit = 100'000});
    QVERIFY(conv->scratch_bytes() > 0 && conv->scratch_bytes() <= 100'000);
    // Nothing but the reference fits one byte.
    const auto tiny = device->make_conv(small_problem(), {.algorithm = "", .scratch_limit = 1});
    QCOMPARE(tiny->algorithm(Pass::kForward), "reference");
    // A share of this size is done in blocks, and is the same.
    Random random(91);
    ConvProblem large = small_problem();
    large.batch = 64;
    large.in_channels = 30;
    large.out_channels = 50;
    const Arrays arrays(large, random);
    for (const char* name : {"fft", "gemm"}) {
      const auto free = device->make_conv(large, {.algorithm = name});
      const std::size_t limit = free->scratch_bytes() / 4;
      const auto limited = limited_device(open_device("cpu"), limit);
      const auto blocks = limited->make_conv(large, {.algorithm = name});
      QVERIFY(blocks->scratch_bytes() > 0 && blocks->scratch_bytes() <= limit);
      QCOMPARE(limited->planned_scratch({large}, {.algorithm = name}), blocks->scratch_bytes());
      set_operands(*blocks, arrays);
      for (Pass pass : kAllPasses)
        QVERIFY(run(*blocks, pass) == run_reference(large, pass, arrays, *device->host_pool()));
    }
    const std::string what = error_of(ErrorKind::kDevice, [&] {
      device->make_conv(small_problem(), {.algorithm = "gemm", .scratch_limit = 1});
    });
    QVERIFY2(what.starts_with("cpu: "), what.c_str());
    VERIFY_CONTAINS(what, "\"gemm\"");
    VERIFY_CONTAINS(what, "within 1 bytes of scratch");
  }

  void wrong_requests_are_refused() {
    const auto device = open_device("cpu");
    const std::string unknown = error_of(ErrorKind::kUsage, [&] {
      device->make_conv(small_problem(), {.algorithm = "fast", .scratch_limit = 0});
    });
    VERIFY_CONTAINS(unknown, "\"fast\"");
    VERIFY_CONTAINS(unknown, "winograd, reference");
    ConvProblem impossible = small_problem();
    impossible.kernel_height = 12;
    VERIFY_CONTAINS(error_of(ErrorKind::kExperiment, [&] { device->make_conv(impossible); }),
                    "12x3 kernel is larger");
    const auto conv = device->make_conv(small_problem());
    for (Pass pass : kAllPasses)
      VERIFY_CONTAINS(error_of(ErrorKind::kDevice, [&] { run(*conv, pass); }), "operands");
  }

  void stop_interrupts() {
    const auto device = open_device("cpu");
    Random random(81);
    const Arrays arrays(small_problem(), random);
    const auto conv = device->make_conv(small_problem());
    set_operands(*conv, arrays);
    StopToken stop;
    stop.request_stop();
    for (Pass pass : kAllPasses) QVERIFY_EXCEPTION_THROWN(run(*conv, pass, &stop), Interrupted);
    // The device works on after a stop.
    QVERIFY(run(*conv, Pass::kForward) ==
            run_reference(small_problem(), Pass::kForward, arrays, *device->host_pool()));
  }
};

QTEST_GUILESS_MAIN(CpuDeviceTest)
#include "cpu_device_test.moc"
