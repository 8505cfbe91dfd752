// Some cores of a CPU runtime: that PoCL computes on them and on no others, and what is refused.
#include "engine/device/opencl_sub_device.h"

#include <sched.h>

#include <QDir>
#include <QFile>
#include <QTest>

#include "engine/device/discovery.h"
#include "engine/device/opencl_device.h"
#include "tests/device/first_opencl_device.h"
#include "tests/device/opencl_conv_case.h"
#include "tests/device/opencl_layer.h"

using namespace convoy;

namespace {

// CPU time, in ticks, of this process's threads that may run on one core only, by that core.
std::map<int, long> ticks_of_pinned_threads() {
  std::map<int, long> ticks;
  for (const QString& thread :
       QDir("/proc/self/task").entryList(QDir::Dirs | QDir::NoDotAndDotDot)) {
    cpu_set_t cores;
    if (sched_getaffinity(thread.toInt(), sizeof cores, &cores) != 0 || CPU_COUNT(&cores) != 1)
      continue;
    int core = 0;
    while (!CPU_ISSET(core, &cores)) ++core;
    QFile stat("/proc/self/task/" + thread + "/stat");
    if (!stat.open(QIODevice::ReadOnly)) continue;
    // Behind the name in brackets: utime and stime are the 12th and the 13th.
    const QByteArray text = stat.readAll();
    const auto fields = text.mid(text.lastIndexOf(')') + 2).split(' ');
    ticks[core] += fields[11].toLong() + fields[12].toLong();
  }
  return ticks;
}

QString refusal(const DeviceInfo& whole, const char* cores) {
  try {
    part_of_device(whole, cores);
  } catch (const Error& error) {
    return error.kind() == ErrorKind::kDevice ? QString(error.what()) : QString("wrong kind");
  }
  return "no refusal";
}

}  // namespace

class OpenClSubDeviceTest : public QObject {
  Q_OBJECT

 private slots:
  void initTestCase() {
    if (available_cores().size() == 1 && available_cores().front() != 0)
      qFatal("this test needs to run on all of the machine's cores");
    keep_runtimes_on_cores();  // before anything else speaks to PoCL
    whole_ = first_opencl_device().info;
    last_ = available_cores().back();
  }

  void a_part_says_what_it_is() {
    const std::string id = whole_.id + ":" + std::to_string(last_);
    const DeviceInfo info = open_device(id)->info();
    QCOMPARE(info.id, id);
    QCOMPARE(info.cores, std::vector<int>{last_});
    QCOMPARE(info.compute_units, 1);
    QCOMPARE(info.name, whole_.name);
    const std::string all = whole_.id + ":" + core_list_text(whole_.cores);
    QCOMPARE(open_device(all)->info().cores, whole_.cores);
  }

  void a_part_is_made_once_and_the_others_are_let_go() {
    const OpenClDeviceEntry whole = first_opencl_device();
    const std::string core = std::to_string(last_);
    const OpenClDeviceEntry part = opencl_sub_device(whole, core);
    const int held = opencl_layer::held()["sub-device"];
    QVERIFY(opencl_sub_device(whole, core).device == part.device);
    QVERIFY(opencl_sub_device(whole, core + "-" + core).device == part.device);
    QVERIFY(part.device != whole.device);
    QCOMPARE(opencl_layer::held()["sub-device"], held);
    QVERIFY(held <= 2);  // this, and all cores
  }

  void its_passes_are_right() {
    Random random(test::logged_seed(53));
    ThreadPool pool(available_cores());
    for (int core : available_cores()) {
      const auto device = open_device(whole_.id + ":" + std::to_string(core));
      const ConvProblem p = random_problem(random);
      const Arrays arrays(p, random);
      const auto conv = device->make_conv(p);
      set_operands(*conv, arrays);
      for (const Pass pass : kAllPasses) {
        GuardedBuffer result(result_size(p, pass));
        conv->run(pass, result.data(), nullptr);
        const auto expected = run_reference(p, pass, arrays, pool);
        QVERIFY2(std::equal(expected.begin(), expected.end(), result.data()),
                 qPrintable(problem_text(p)));
      }
    }
  }

  void it_computes_on_its_cores_only() {
    const ConvProblem p = make_problem(32, 16, 20, 32, 5);
    const Arrays arrays(p);
    for (const int core : {0, last_}) {
      const auto conv =
          open_device(whole_.id + ":" + std::to_string(core))->make_conv(p, {"im2col", 0});
      conv->set_operand(Operand::kInput, arrays.input.data());
      conv->set_operand(Operand::kWeight, arrays.weight.data());
      FloatBuffer result(p.output_size());
      conv->run(Pass::kForward, result.data(), nullptr);
      const auto before = ticks_of_pinned_threads();
      QVERIFY2(before.contains(core), "PoCL has no thread for this core alone");
      auto after = before;
      while (after.at(core) - before.at(core) < 30) {
        conv->run(Pass::kForward, result.data(), nullptr);
        after = ticks_of_pinned_threads();
      }
      // PoCL wakes all its threads for each command; those of other cores find that it is not
      // theirs.
      const long own = after.at(core) - before.at(core);
      for (const auto& [other, ticks] : after) {
        if (other == core) continue;
        const long others = ticks - before.at(other);
        QVERIFY2(4 * others <= own,
                 qPrintable(QString("core %1: %2 of %3").arg(other).arg(others).arg(own)));
      }
    }
  }

  void what_cannot_be_given_is_refused() {
    QVERIFY(refusal(whole_, "4000").contains("4000"));
    const QString id = QString::fromStdString(whole_.id);
    QVERIFY(refusal(whole_, "").startsWith(id + ":: a core number is missing"));
    QVERIFY(refusal(whole_, "0,0").startsWith(id + ":0,0: core 0 is listed twice"));
    const std::string beyond = std::to_string(last_ + 1);
    QVERIFY(refusal(whole_, beyond.c_str()).contains("there is no core"));
    if (last_ >= 2) QVERIFY(refusal(whole_, "0,2").contains("neighbouring"));

    DeviceInfo gpu = whole_;
    gpu.kind = DeviceKind::kGpu;
    QVERIFY(refusal(gpu, "0").contains("only an OpenCL device that is a CPU"));
    DeviceInfo stranger = whole_;
    stranger.backend = "OpenCL 3.0 (Another Runtime)";
    QVERIFY(refusal(stranger, "0").contains("cannot be told which cores to use"));
    qputenv("POCL_AFFINITY", "0");
    QVERIFY(refusal(whole_, "0").contains("POCL_AFFINITY=1"));
    keep_runtimes_on_cores();  // leaves what is set alone
    QVERIFY(refusal(whole_, "0").contains("POCL_AFFINITY=1"));
    qputenv("POCL_AFFINITY", "1");
    QCOMPARE(refusal(whole_, "0"), "no refusal");
  }

  void a_failing_call_is_named() {
    opencl_layer::inject({CL_DEVICE_PARTITION_FAILED, 0, true, "clCreateSubDevices"});
    QString what;
    try {
      OpenClDeviceEntry another = first_opencl_device();
      another.info.id = "opencl:7:7";
      opencl_sub_device(another, "0");
    } catch (const Error& error) {
      what = error.what();
    }
    opencl_layer::end_injection();
    QCOMPARE(what, "opencl:7:7:0: clCreateSubDevices failed with CL_DEVICE_PARTITION_FAILED");
  }

 private:
  DeviceInfo whole_;
  int last_ = 0;
};

QTEST_GUILESS_MAIN(OpenClSubDeviceTest)
#include "opencl_sub_device_test.moc"
