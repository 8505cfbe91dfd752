// Finding and opening OpenCL devices, and what they refuse.
#include "engine/device/opencl_device.h"

#include <QTest>
#include <thread>

#include "engine/device/discovery.h"
#include "tests/base/error_of.h"
#include "tests/device/first_opencl_device.h"
#include "tests/device/opencl_conv_case.h"

using namespace convoy;
using convoy::test::error_of;

namespace {

ConvProblem small_layer() {
  return make_problem(4, 3, 8, 5, 3);
}

}  // namespace

class OpenClDeviceTest : public QObject {
  Q_OBJECT

 private slots:
  void initTestCase() { id_ = first_opencl_device().info.id; }

  void a_listed_device_says_what_it_is() {
    for (const DeviceInfo& info : list_opencl_devices()) {
      QVERIFY(QString::fromStdString(info.id).startsWith("opencl:"));
      QVERIFY(!info.name.empty());
      QVERIFY2(QString::fromStdString(info.backend).startsWith("OpenCL "), info.backend.c_str());
      QVERIFY(!info.driver.empty());
      QVERIFY(info.compute_units >= 1);
      QVERIFY(info.memory_bytes > 0);
      if (info.kind == DeviceKind::kCpu)
        QCOMPARE(info.cores, available_cores());
      else
        QVERIFY(info.cores.empty());
      QCOMPARE(open_opencl_device(info.id)->info().id, info.id);
    }
  }

  void an_unknown_id_is_refused_with_those_there_are() {
    for (const char* wrong : {"opencl:0:77", "opencl:9:0", "opencl:", "opencl:0", "opencl:a:b",
                              "opencl:0:0 ", "opencl:-1:0", "opencl:00:0"}) {
      const std::string what = error_of(ErrorKind::kDevice, [&] { open_opencl_device(wrong); });
      QVERIFY2(what.starts_with(wrong), what.c_str());
      VERIFY_CONTAINS(what, "there are " + id_);
    }
  }

  void an_unknown_algorithm_is_refused_with_those_there_are() {
    const auto device = open_opencl_device(id_);
    const std::string what = error_of(ErrorKind::kUsage, [&] {
      device->make_conv(small_layer(), {"winograd", 0});
    });
    for (const char* name : {"winograd", "im2col+clblast", "im2col+tiled", "im2col+vector"})
      VERIFY_CONTAINS(what, name);
  }

  void algorithms_are_chosen_by_name() {
    const auto device = open_opencl_device(id_);
    for (const char* name : {"im2col+vector", "im2col+tiled", "im2col+clblast"}) {
      const auto conv = device->make_conv(small_layer(), {name, 0});
      for (const Pass pass : kAllPasses) {
        QCOMPARE(conv->algorithm(pass), std::string(name));
        QVERIFY(conv->executed_flops(pass) >= small_layer().flops());
      }
      QVERIFY(conv->scratch_bytes() > 0);
    }
    QCOMPARE(device->make_conv(small_layer())->problem(), small_layer());
  }

  void impossible_layers_and_limits_are_refused() {
    const auto device = open_opencl_device(id_);
    ConvProblem wrong = small_layer();
    wrong.kernel_height = 99;
    VERIFY_CONTAINS(error_of(ErrorKind::kExperiment, [&] { device->make_conv(wrong); }),
                    "99x3 kernel is larger");
    const std::string what = error_of(ErrorKind::kDevice, [&] {
      device->make_conv(small_layer(), {"", 16});
    });
    VERIFY_CONTAINS(what, "16 bytes");
  }

  void a_missing_operand_is_named() {
    const auto conv = open_opencl_device(id_)->make_conv(small_layer());
    FloatBuffer input(small_layer().input_size()), output(small_layer().output_size());
    input.fill_zero();
    conv->set_operand(Operand::kInput, input.data());
    const std::string what =
        error_of(ErrorKind::kDevice, [&] { conv->run(Pass::kForward, output.data(), nullptr); });
    VERIFY_CONTAINS(what, "forward needs weight");
  }

  void a_stopped_pass_is_interrupted_and_can_be_run_again() {
    const ConvProblem p = small_layer();
    Random random(7);
    const Arrays arrays(p, random);
    const auto conv = open_opencl_device(id_)->make_conv(p);
    set_operands(*conv, arrays);
    ThreadPool pool({available_cores().front()});
    for (const Pass pass : kAllPasses) {
      GuardedBuffer result(result_size(p, pass));
      StopToken stop;
      stop.request_stop();
      bool interrupted = false;
      try {
        conv->run(pass, result.data(), &stop);
      } catch (const Interrupted&) {
        interrupted = true;
      }
      QVERIFY(interrupted);
      StopToken go_on;
      conv->run(pass, result.data(), &go_on);
      const auto expected = run_reference(p, pass, arrays, pool);
      QVERIFY(std::equal(expected.begin(), expected.end(), result.data()));
    }
  }

  void two_opened_devices_work_side_by_side() {
    const std::uint64_t seed = test::logged_seed(4711);
    const char* algorithms[] = {"im2col+vector", "im2col+clblast"};
    std::string faults[2];
    const auto work = [&](int side) {
      try {
        Random random(seed + side);
        ThreadPool pool({available_cores().front()});
        const auto device = open_opencl_device(id_);
        for (int round = 0; round < 6; ++round) {
          const ConvProblem p = random_problem(random);
          const Arrays arrays(p, random);
          const auto conv = device->make_conv(p, {algorithms[(side + round) % 2], 0});
          set_operands(*conv, arrays);
          for (const Pass pass : kAllPasses) {
            GuardedBuffer result(result_size(p, pass));
            conv->run(pass, result.data(), nullptr);
            const auto expected = run_reference(p, pass, arrays, pool);
            if (!std::equal(expected.begin(), expected.end(), result.data()))
              faults[side] += std::string(pass_name(pass)) + " of " + p.describe() + " is wrong; ";
          }
        }
      } catch (const std::exception& error) {
        faults[side] += error.what();
      }
    };
    std::thread other(work, 1);
    work(0);
    other.join();
    QCOMPARE(faults[0], std::string());
    QCOMPARE(faults[1], std::string());
  }

 private:
  std::string id_;
};

QTEST_GUILESS_MAIN(OpenClDeviceTest)
#include "opencl_device_test.moc"
