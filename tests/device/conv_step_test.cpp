// How single passes and whole steps are measured on a machine that does other work, too.
#include "engine/device/conv_step.h"

#include <QTest>
#include <chrono>
#include <thread>

#include "../device/cpu_id.h"
#include "engine/device/forwarding_device.h"

using namespace convoy;

namespace {

const ConvProblem kProblem{4, 3, 8, 8, 5, 3, 3, {}};

// As on a machine with other work: each step has a pass that is disturbed, another one than the
// step before.
class DisturbedConv : public ForwardingConv {
 public:
  explicit DisturbedConv(std::unique_ptr<DeviceConv> conv) : ForwardingConv(std::move(conv)) {}
  bool works_in_parts() const override { return false; }
  void run(Pass pass, float* result, const StopToken* stop) override {
    if (runs % 3 == runs / 3 % 3) std::this_thread::sleep_for(kDisturbance);
    ++runs;
    ForwardingConv::run(pass, result, stop);
  }
  static constexpr std::chrono::milliseconds kDisturbance{20};
  int runs = 0;
};

}  // namespace

class ConvStepTest : public QObject {
  Q_OBJECT
 private slots:
  // Of each pass the undisturbed run counts, though no step was without a disturbance.
  void leastTimesAreThoseOfUndisturbedPasses() {
    const auto device = open_device(cpu_id(0));
    DisturbedConv conv(device->make_conv(kProblem, {}));
    ConvStep step(kProblem);
    const StepTimes least = step.least_times(conv, true, nullptr, 1e9);
    QCOMPARE(least.step_ms, least.pass_ms[0] + least.pass_ms[1] + least.pass_ms[2]);
    QVERIFY(conv.runs >= 12);  // one step to warm up, three at least to measure
  }
};

QTEST_GUILESS_MAIN(ConvStepTest)
#include "conv_step_test.moc"
