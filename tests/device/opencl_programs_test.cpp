// Programs from source and from the cache, as a driver takes them.
#include "engine/device/opencl_programs.h"

#include <QTemporaryDir>
#include <QTest>
#include <fstream>

#include "engine/device/opencl_gemm.h"
#include "engine/device/opencl_im2col_conv.h"
#include "engine/device/opencl_sources.h"
#include "tests/device/first_opencl_device.h"
#include "tests/device/opencl_conv_case.h"
#include "tests/device/opencl_layer.h"

using namespace convoy;
namespace fs = std::filesystem;

class OpenClProgramsTest : public QObject {
  Q_OBJECT

 private:
  std::unique_ptr<QTemporaryDir> folder_;
  OpenClDeviceEntry entry_;
  std::unique_ptr<OpenClContext> context_;

  ProgramCache cache() const { return ProgramCache(folder_->path().toStdString()); }
  ProgramRequest request() const {
    return {context_->get(),    entry_.device, entry_.info.id,
            entry_.fingerprint, "im2col.cl",   opencl_source("im2col.cl"),
            "-DLANES=4"};
  }
  ProgramKey key() const {
    return {std::string(request().source), request().options, entry_.fingerprint};
  }

  // How often `work` calls a function.
  template <class Work>
  static int calls_of(const char* function, const Work& work) {
    opencl_layer::inject({CL_SUCCESS, 0, false, function});
    work();
    return opencl_layer::end_injection().calls;
  }
  int compilations() const {
    return calls_of("clCreateProgramWithSource", [&] {
      const BuiltProgram built = build_program(request(), cache());
      cl_int code = CL_SUCCESS;
      const ClKernel kernel(clCreateKernel(built.program.get(), "im2col", &code));
      QCOMPARE(code, CL_SUCCESS);
    });
  }

 private slots:
  void initTestCase() {
    entry_ = first_opencl_device();
    context_ = std::make_unique<OpenClContext>(entry_);
  }
  void init() { folder_ = std::make_unique<QTemporaryDir>(); }

  void the_second_time_nothing_is_compiled() {
    QCOMPARE(compilations(), 1);
    QVERIFY(cache().find(key()));
    QCOMPARE(compilations(), 0);
  }

  void the_fingerprint_names_platform_device_and_driver() {
    const QString text = QString::fromStdString(entry_.fingerprint);
    const auto platform = cl_text(clGetPlatformInfo, entry_.platform, CL_PLATFORM_VERSION, "", "");
    for (const std::string& part : {platform, entry_.info.name, entry_.info.driver})
      QVERIFY2(text.contains(QString::fromStdString(part)), part.c_str());
  }

  void what_the_driver_refuses_is_compiled_and_replaced() {
    for (const std::string& refused : {std::string("garbage"), std::string(100000, '\0')}) {
      cache().keep(key(), refused);
      QCOMPARE(compilations(), 1);
      QVERIFY(cache().find(key()) != refused);
      QCOMPARE(compilations(), 0);
    }
  }

  void a_failing_call_leads_to_the_source() {
    QCOMPARE(compilations(), 1);
    for (const char* function : {"clCreateProgramWithBinary", "clBuildProgram"}) {
      opencl_layer::inject({CL_INVALID_BINARY, 0, false, function});
      QVERIFY(build_program(request(), cache()).program);
      QCOMPARE(opencl_layer::end_injection().failed, 1);
    }
    // And a driver that gives no binary away costs a compilation each time.
    fs::remove(cache().file(key()));
    for (int call : {0, 1}) {
      opencl_layer::inject({CL_OUT_OF_HOST_MEMORY, call, false, "clGetProgramInfo"});
      QVERIFY(build_program(request(), cache()).program);
      QCOMPARE(opencl_layer::end_injection().failed, 1);
      QVERIFY(!cache().find(key()));
    }
  }

  // A sound file with a program that computes something else: only the check of results can tell.
  void a_binary_that_computes_wrongly_is_compiled_and_replaced() {
    const QByteArray own = qgetenv("CONVOY_CACHE_DIR");
    qputenv("CONVOY_CACHE_DIR", folder_->path().toUtf8());
    const ProgramCache used(program_cache_folder());
    OpenClContext sound(entry_);
    QCOMPARE(checked_product("tiled", sound), std::string());

    ProgramRequest wrong = request();
    wrong.file = "gemm_tiled.cl";
    wrong.options = kTiledOptions;
    std::string source(opencl_source(wrong.file));
    const ProgramKey right_key{source, wrong.options, entry_.fingerprint};
    QVERIFY2(used.find(right_key), "the options of the tiled product have changed");
    const std::string line = "accumulate";
    source.replace(source.rfind(line), line.size(), "!accumulate");
    wrong.source = source;
    wrong.context = sound.get();
    build_program(wrong, used);
    const auto wrong_binary = used.find({source, wrong.options, entry_.fingerprint});
    QVERIFY(wrong_binary);
    used.keep(right_key, *wrong_binary);

    OpenClContext deceived(entry_);
    QCOMPARE(calls_of("clCreateProgramWithSource",
                      [&] { QCOMPARE(checked_product("tiled", deceived), std::string()); }),
             1);
    QVERIFY(used.find(right_key));
    QVERIFY(used.find(right_key) != wrong_binary);

    // Where the compiler itself is wrong, that is the finding, and nothing is kept.
    used.keep(right_key, *wrong_binary);
    OpenClContext hopeless(entry_);
    int checks = 0;
    const auto check = [&] {
      ++checks;
      hopeless.make_kernel("gemm_tiled.cl", kTiledOptions, "multiply_tiles");
      return std::string("wrong");
    };
    QCOMPARE(fault_after_checks(check, hopeless, "gemm_tiled.cl"), std::string("wrong"));
    QCOMPARE(checks, 2);
    QVERIFY(!used.find(right_key));
    qputenv("CONVOY_CACHE_DIR", own);
  }

  // Products are sound, but what they multiply is not.
  void unfolding_that_proves_wrong_is_compiled_and_replaced() {
    const QByteArray own = qgetenv("CONVOY_CACHE_DIR");
    qputenv("CONVOY_CACHE_DIR", folder_->path().toUtf8());
    const ProgramCache used(program_cache_folder());
    ConvProblem p = make_problem(5, 3, 9, 4, 3);
    p.stride_width = 2;
    p.padding = {1, 0, 0, 1};
    const auto check = [&](const std::shared_ptr<OpenClContext>& context) {
      return checked_im2col("vector", p, opencl_limits(kPlenty, true), context);
    };
    const auto sound = std::make_shared<OpenClContext>(entry_);
    QCOMPARE(check(sound), std::string());
    QCOMPARE(calls_of("clEnqueueNDRangeKernel", [&] { check(sound); }), 0);  // remembered

    ProgramRequest wrong = request();
    wrong.options = "-DLANES=" + std::to_string(OpenClIm2colConv::lanes_of(*sound, p));
    const std::string right(opencl_source(wrong.file));
    const ProgramKey right_key{right, wrong.options, entry_.fingerprint};
    QVERIFY2(used.find(right_key), "the options of im2col have changed");
    wrong.context = sound->get();
    // Of unfolding and of folding: a picture, the padding, the stride, a piece of the positions.
    for (const auto& [text, other] : std::initializer_list<std::pair<std::string, std::string>>{
             {"target[lane] = source[lane]", "target[lane] = source[0]"},
             {"- padding_left + tap", "- padding_top + tap"},
             {"position / out_width * stride_height", "position / out_width * stride_width"},
             {"first_position + (int)get_global_id(1)", "(int)get_global_id(1)"},
             {"target[lane] += sum[lane]", "target[lane] = sum[lane]"},
             {"down / stride_height * out_width", "down / stride_height * width"}}) {
      std::string source = right;
      QVERIFY2(source.find(text) != std::string::npos, text.c_str());
      source.replace(source.find(text), text.size(), other);
      wrong.source = source;
      build_program(wrong, used);
      const auto binary = used.find({source, wrong.options, entry_.fingerprint});
      QVERIFY(binary);
      used.keep(right_key, *binary);
      const auto deceived = std::make_shared<OpenClContext>(entry_);
      QCOMPARE(
          calls_of("clCreateProgramWithSource", [&] { QCOMPARE(check(deceived), std::string()); }),
          1);
      QVERIFY2(used.find(right_key) != binary, text.c_str());
    }
    qputenv("CONVOY_CACHE_DIR", own);
  }

 private:
  static constexpr const char* kTiledOptions = "-DTILE=64 -DBLOCK=4 -DTILE_DEPTH=16";
};

QTEST_GUILESS_MAIN(OpenClProgramsTest)
#include "opencl_programs_test.moc"
