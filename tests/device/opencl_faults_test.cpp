// Every OpenCL call of a layer's three passes fails once, and then it and all after it: a pass ends
// with the right result or with an error that says what failed, nothing leaks, and afterwards the
// device works as before.
#include <QDir>
#include <QDirIterator>
#include <QFile>
#include <QRegularExpression>
#include <QTemporaryDir>
#include <QTest>
#include <cmath>
#include <functional>

#include "engine/device/discovery.h"
#include "engine/device/opencl_device.h"
#include "engine/device/opencl_fft_conv.h"
#include "engine/device/opencl_im2col_conv.h"
#include "engine/device/opencl_program_cache.h"
#include "engine/device/opencl_sources.h"
#include "tests/device/first_opencl_device.h"
#include "tests/device/opencl_conv_case.h"
#include "tests/device/opencl_layer.h"

using namespace convoy;
using opencl_layer::Fault;

namespace {

constexpr cl_int kMemoryCodes[] = {CL_OUT_OF_RESOURCES, CL_MEM_OBJECT_ALLOCATION_FAILURE,
                                   CL_OUT_OF_HOST_MEMORY};
constexpr cl_int kOtherCodes[] = {CL_DEVICE_NOT_AVAILABLE, CL_INVALID_COMMAND_QUEUE};

// How a piece of work under a fault ended.
struct Ending {
  bool right = false;  // it returned, with the right result
  QString error;
  opencl_layer::Report report;
};

std::vector<cl_int> all_codes() {
  std::vector<cl_int> codes(std::begin(kMemoryCodes), std::end(kMemoryCodes));
  codes.insert(codes.end(), std::begin(kOtherCodes), std::end(kOtherCodes));
  return codes;
}

// One that a smaller plan may help, and one that nothing helps.
std::vector<cl_int> typical_codes() {
  return {CL_OUT_OF_RESOURCES, CL_DEVICE_NOT_AVAILABLE};
}

// Whether more is held than before. Contexts do not count: one that was lost is kept, without its
// programs, see shared_opencl_context().
bool leaks(const std::map<std::string, int>& before) {
  for (const auto& [kind, count] : opencl_layer::held())
    if (kind != "context" && (!before.contains(kind) || count > before.at(kind))) return true;
  return false;
}

// PoCL's binaries hold what it has ever compiled for any size of work-group: megabytes after the
// other tests, which every context that is made anew would load.
void use_own_caches() {
  const QString folder = qEnvironmentVariable("CONVOY_CACHE_DIR", QDir::tempPath()) + "/faults";
  QVERIFY(QDir().mkpath(folder + "/pocl"));
  qputenv("CONVOY_CACHE_DIR", folder.toUtf8());
  qputenv("POCL_CACHE_DIR", (folder + "/pocl").toUtf8());
}

void add_code_rows(const std::vector<cl_int>& codes) {
  QTest::addColumn<int>("code");
  QTest::addColumn<bool>("lasting");
  for (const cl_int code : codes)
    for (const bool lasting : {false, true})
      QTest::addRow("%s%s", cl_error_name(code).c_str(), lasting ? ", lasting" : "")
          << code << lasting;
}

}  // namespace

class OpenClFaultsTest : public QObject {
  Q_OBJECT

 private slots:
  void initTestCase() {
    use_own_caches();
    entry_ = first_opencl_device();
    context_ = shared_opencl_context(entry_);
    id_ = QString::fromStdString(entry_.info.id);
    problem_ = make_problem(2, 2, 3, 3, 3);  // small: the tiled product is slow on a CPU
    problem_.padding = Padding::same(3, 3);
    Random random(test::logged_seed(511));
    arrays_ = std::make_unique<Arrays>(problem_, random);
    ThreadPool pool(available_cores());
    for (const Pass pass : kAllPasses)
      expected_.push_back(run_reference(problem_, pass, *arrays_, pool));
  }

  void every_call_of_the_engine_comes_through_here() {
    static const QRegularExpression call(
        "\\bcl(?:Get|Create|Retain|Release|Build|Compile|Link|Unload|Set|Enqueue|Wait|Flush|Finish)"
        "\\w*");
    QDirIterator files(CONVOY_SOURCE_DIR "/engine", {"*.h", "*.cpp"}, QDir::Files,
                       QDirIterator::Subdirectories);
    int found = 0;
    while (files.hasNext()) {
      QFile file(files.next());
      QVERIFY(file.open(QIODevice::ReadOnly));
      for (auto matches = call.globalMatch(file.readAll()); matches.hasNext(); ++found) {
        const QString name = matches.next().captured();
        QVERIFY2(opencl_layer::functions().contains(name.toStdString()),
                 qPrintable(name + " of " + file.fileName() +
                            " is not in tests/device/opencl_layer.cpp"));
      }
    }
    QVERIFY(found > 20);
  }

  void passes_survive_any_failing_call_data() {
    QTest::addColumn<QString>("product");
    QTest::addColumn<bool>("in_place");
    QTest::addColumn<int>("slot_bytes");
    QTest::addColumn<int>("code");
    QTest::addColumn<bool>("lasting");
    for (const char* product : {"vector", "tiled", "clblast"})
      for (const bool in_place : {true, false})
        for (const cl_int code : std::string(product) == "vector" ? all_codes() : typical_codes())
          for (const bool lasting : {false, true})
            QTest::addRow("%s%s, %s%s", product, in_place ? " in place" : "",
                          cl_error_name(code).c_str(), lasting ? ", lasting" : "")
                << QString(product) << in_place << 0 << code << lasting;
    for (const cl_int code : typical_codes())
      for (const bool lasting : {false, true})
        QTest::addRow("staged, %s%s", cl_error_name(code).c_str(), lasting ? ", lasting" : "")
            << "vector" << false << 64 << code << lasting;
  }
  void passes_survive_any_failing_call() {
    QFETCH(QString, product);
    QFETCH(bool, in_place);
    QFETCH(int, slot_bytes);
    QFETCH(int, code);
    QFETCH(bool, lasting);
    OpenClLimits limits = kWide;
    limits.in_place = in_place;
    limits.staging = static_cast<std::size_t>(slot_bytes);
    if (!in_place) limits.total = whole_bytes(product.toStdString()) - 1;
    const auto make = [&] {
      return std::make_unique<OpenClIm2colConv>(context_, problem_, product.toStdString(), limits);
    };
    std::unique_ptr<OpenClIm2colConv> kept;
    const auto work = [&] {
      kept = make();
      return passes_are_right(*kept);
    };
    QVERIFY(work());  // programs are built now
    if (!in_place) QVERIFY(kept->blocks().batch < problem_.batch);
    kept.reset();
    fail_each_call(code, lasting, work, [&] {
      // The very object, where there is one.
      const bool right = kept ? passes_are_right(*kept) : work();
      kept.reset();
      return right;
    });
  }

  void transforms_survive_any_failing_call_data() { add_code_rows(typical_codes()); }
  void transforms_survive_any_failing_call() {
    QFETCH(int, code);
    QFETCH(bool, lasting);
    const auto device = open_opencl_device(entry_.info.id);
    const auto work = [&] {
      return passes_are_right(*device->make_conv(problem_, {"fft+vector", 0}));
    };
    QVERIFY(work());
    fail_each_call(code, lasting, work, work);
  }

  void staged_transforms_survive_any_failing_call_data() { add_code_rows(typical_codes()); }
  void staged_transforms_survive_any_failing_call() {
    QFETCH(int, code);
    QFETCH(bool, lasting);
    OpenClLimits limits = kWide;
    limits.in_place = false;
    limits.staging = 100;
    const auto work = [&] {
      OpenClFftConv conv(context_, problem_, "vector", limits);
      return passes_are_right(conv);
    };
    QVERIFY(work());
    fail_each_call(code, lasting, work, work);
  }

  // In place and in the frequency domain, and staged in blocks of im2col.
  void pooling_survives_any_failing_call_data() {
    QTest::addColumn<bool>("blocks");
    QTest::addColumn<int>("code");
    QTest::addColumn<bool>("lasting");
    for (const bool blocks : {false, true})
      for (const cl_int code : typical_codes())
        for (const bool lasting : {false, true})
          if (blocks || !lasting)  // the test shall not take long
            QTest::addRow("%s, %s%s", blocks ? "blocks" : "in place", cl_error_name(code).c_str(),
                          lasting ? ", lasting" : "")
                << blocks << code << lasting;
  }
  void pooling_survives_any_failing_call() {
    QFETCH(bool, blocks);
    QFETCH(int, code);
    QFETCH(bool, lasting);
    OpenClLimits limits{std::size_t{1} << 16, kWide.one_buffer, 1e15, 1 << 20, false, 64};
    const auto in_blocks = [&] {
      return std::make_unique<OpenClIm2colConv>(
          context_, problem_, "vector", limits, ChosenBy::kName,
          std::make_shared<OpenClPooling>(context_, problem_));
    };
    while (blocks && in_blocks()->blocks().batch == problem_.batch) limits.total -= 50;
    const auto make = [&]() -> std::unique_ptr<DeviceConv> {
      if (blocks) return in_blocks();
      return std::make_unique<OpenClFftConv>(context_, problem_, "vector", kWide, ChosenBy::kName,
                                             std::make_shared<OpenClPooling>(context_, problem_));
    };
    // Not whole numbers: values that are the same but for rounding would make pooling's choice, and
    // all gradients with it, depend on how the layer is cut.
    Random random(test::logged_seed(512));
    const Arrays arrays = normal_arrays(problem_, random);
    const std::vector<float> bias(static_cast<std::size_t>(problem_.out_channels), 0.25f);
    const auto step = [&](DeviceConv& conv) {
      std::vector<float> results(problem_.pooled_size() + problem_.input_size() +
                                 problem_.weight_size() + bias.size());
      float* at = results.data();
      set_operands(conv, arrays);
      conv.set_bias(bias.data(), true);
      conv.set_grad_bias(results.data() + results.size() - bias.size());
      conv.run(Pass::kForward, at, nullptr);
      conv.set_operand(Operand::kGradOutput, arrays.grad_output.data());  // after what chooses
      conv.run(Pass::kBackwardData, at += problem_.pooled_size(), nullptr);
      conv.run(Pass::kBackwardWeights, at += problem_.input_size(), nullptr);
      return results;
    };
    const std::vector<float> expected = step(*make());
    std::unique_ptr<DeviceConv> kept;
    const auto is_right = [&] {
      return std::ranges::equal(step(*kept), expected,
                                [](float a, float b) { return std::abs(a - b) < 1e-4f; });
    };
    const auto work = [&] {
      kept = make();
      return is_right();
    };
    fail_each_call(code, lasting, work, [&] {
      const bool right = kept ? is_right() : work();  // the very object, where there is one
      kept.reset();
      return right;
    });
  }

  // What is done once for a device: its context, programs from the cache and, where that fails,
  // from source.
  void starting_survives_any_failing_call_data() { add_code_rows(typical_codes()); }
  void starting_survives_any_failing_call() {
    QFETCH(int, code);
    QFETCH(bool, lasting);
    const auto work = [&] {
      OpenClIm2colConv conv(std::make_shared<OpenClContext>(entry_), problem_, "tiled", kWide);
      return passes_are_right(conv);
    };
    QVERIFY(work());
    fail_each_call(code, lasting, work, work);
  }

  // What fails for want of memory or of the device is not held against a product ever after.
  void checking_a_product_survives_failing_calls_data() { add_code_rows(typical_codes()); }
  void checking_a_product_survives_failing_calls() {
    QFETCH(int, code);
    QFETCH(bool, lasting);
    std::unique_ptr<OpenClContext> fresh;
    const auto work = [&] {
      fresh = std::make_unique<OpenClContext>(entry_);
      const std::string fault = checked_product("tiled", *fresh);
      if (!fault.empty()) throw Error(ErrorKind::kDevice, "", fault);
      return true;
    };
    constexpr int kStep = 97;  // a check is hundreds of calls, all alike
    fail_each_call(
        code, lasting, work,
        [&] {
          const bool again = !fresh || checked_product("tiled", *fresh).empty();
          fresh.reset();
          return again;
        },
        kStep);
  }

  void checking_pooling_survives_failing_calls_data() { add_code_rows(typical_codes()); }
  void checking_pooling_survives_failing_calls() {
    QFETCH(int, code);
    QFETCH(bool, lasting);
    std::shared_ptr<OpenClContext> fresh;
    const auto work = [&] {
      fresh = std::make_shared<OpenClContext>(entry_);
      const std::string fault = checked_pooling(fresh);
      if (!fault.empty()) throw Error(ErrorKind::kDevice, "", fault);
      return true;
    };
    QVERIFY(work());
    fresh.reset();
    fail_each_call(
        code, lasting, work,
        [&] {
          const bool again = !fresh || checked_pooling(fresh).empty();
          fresh.reset();
          return again;
        },
        7);
  }

  void opening_names_what_failed_data() { add_code_rows(all_codes()); }
  void opening_names_what_failed() {
    QFETCH(int, code);
    QFETCH(bool, lasting);
    const auto work = [&] {
      const auto conv = open_opencl_device(entry_.info.id)->make_conv(problem_);
      return passes_are_right(*conv);
    };
    QVERIFY(work());
    fail_each_call(code, lasting, work, work);
  }

  void a_failing_build_is_an_error_with_or_without_a_log() {
    for (const bool lasting : {false, true}) {
      // Of their own, so that no cache has it.
      const std::string options = std::string("-DLANES=1 -DNEVER_USED=") + (lasting ? "1" : "2");
      const ProgramCache cache(program_cache_folder());
      std::filesystem::remove(
          cache.file({std::string(opencl_source("im2col.cl")), options, entry_.fingerprint}));
      OpenClContext fresh(entry_);
      opencl_layer::inject({CL_BUILD_PROGRAM_FAILURE, 0, lasting, "clBuildProgram"});
      QString what;
      try {
        fresh.make_kernel("im2col.cl", options, "im2col");
      } catch (const Error& error) {
        what = error.what();
      }
      QCOMPARE(opencl_layer::end_injection().failed, 1);
      QVERIFY2(what.startsWith(id_ + ": the OpenCL compiler refuses im2col.cl"), qPrintable(what));
      QVERIFY(fresh.make_kernel("im2col.cl", options, "im2col"));
    }
    // The log itself cannot be had.
    OpenClContext fresh(entry_);
    opencl_layer::inject({CL_OUT_OF_HOST_MEMORY, 0, true, "clGetProgramBuildInfo"});
    try {
      fresh.make_kernel("gemm_tiled.cl", "-DTILE=64", "multiply_tiles");
      QFAIL("no error");
    } catch (const Error& error) {
      const QString what = error.what();
      QVERIFY2(what.contains("refuses gemm_tiled.cl") && what.contains("clGetProgramBuildInfo"),
               error.what());
    }
    QVERIFY(opencl_layer::end_injection().failed > 0);
  }

 private:
  bool passes_are_right(DeviceConv& conv) const {
    set_operands(conv, *arrays_);
    for (std::size_t i = 0; i < expected_.size(); ++i) {
      GuardedBuffer result(expected_[i].size());
      conv.run(kAllPasses[i], result.data(), nullptr);
      // Whole numbers, which transforms round.
      const auto near = [](float a, float b) { return std::abs(a - b) < 1e-3f; };
      if (!std::equal(expected_[i].begin(), expected_[i].end(), result.data(), near) ||
          !result.guards_are_whole())
        return false;
    }
    return true;
  }

  // Every `step`th call of `work` in turn, until none is left to fail. `again` runs without faults
  // after each.
  void fail_each_call(cl_int code, bool lasting, const std::function<bool()>& work,
                      const std::function<bool()>& again, int step = 1) {
    const QString name = QString::fromStdString(cl_error_name(code));
    const auto before = opencl_layer::held();
    for (int call = 0;; call += step) {
      Ending ending;
      opencl_layer::inject({code, call, lasting, {}});
      try {
        ending.right = work();
      } catch (const Error& error) {
        ending.error = error.what();
        if (error.kind() != ErrorKind::kDevice) ending.error += " (of a wrong kind)";
      }
      ending.report = opencl_layer::end_injection();
      const QString where = QString("call %1, %2: %3")
                                .arg(call)
                                .arg(QString::fromStdString(ending.report.function), ending.error);
      QVERIFY2(ending.right || !ending.error.isEmpty(), qPrintable("wrong result; " + where));
      if (!ending.error.isEmpty()) {
        QVERIFY2(ending.error.startsWith(id_), qPrintable(where));
        // CLBlast does not tell which call of its own failed. Where all fail, the error may be of a
        // later one than the first, which mattered less.
        const QString function = lasting ? "cl" : QString::fromStdString(ending.report.function);
        QVERIFY2(ending.error.contains(
                     QRegularExpression("\\b" + function + "\\w* failed with " + name)) ||
                     ending.error.contains(QRegularExpression(
                         "clblast::\\w+ failed with (CLBlast's status k|" + name + ")")),
                 qPrintable(where));
      }
      QVERIFY2(again(), qPrintable("not right afterwards; " + where));
      QVERIFY2(!leaks(before), qPrintable("leaks; " + where));
      if (ending.report.failed == 0) {
        QVERIFY2(ending.right && call > 20, qPrintable(where));
        return;
      }
    }
  }

  // On the device, of the whole problem at once.
  std::size_t whole_bytes(const std::string& name) const {
    const ClQueue queue = context_->make_queue();
    const auto product = make_product(name, *context_, queue.get());
    const OpenClBlocks whole{problem_.batch, problem_.out_channels,
                             problem_.out_height() * problem_.out_width()};
    return memory_of(problem_, whole, OpenClLimits{},
                     [&](const ProductSize& size) { return product->scratch_bytes(size); })
        .total;
  }

  static constexpr OpenClLimits kWide{std::size_t{1} << 30, std::size_t{1} << 30, 1e15, 1 << 20,
                                      true};

  OpenClDeviceEntry entry_;
  std::shared_ptr<OpenClContext> context_;
  QString id_;
  ConvProblem problem_;
  std::unique_ptr<Arrays> arrays_;
  std::vector<std::vector<float>> expected_;
};

QTEST_GUILESS_MAIN(OpenClFaultsTest)
#include "opencl_faults_test.moc"
