// A recorded run comes out of the lab book as the files that it wrote itself.
#include "engine/results/run_export.h"

#include <QTemporaryDir>
#include <QtTest>
#include <limits>
#include <random>

#include "engine/base/atomic_file.h"
#include "engine/results/lab_book.h"
#include "engine/results/run_folder.h"

using namespace convoy;
namespace fs = std::filesystem;

namespace {

constexpr int kSteps = 120;  // more than two batches of the lab book
constexpr int kMoved = 77;   // the shares move before this step

// A run of measured-looking values, told to all listeners.
class Run {
 public:
  Run(std::string id, std::vector<RunListener*> listeners)
      : id_(std::move(id)), listeners_(std::move(listeners)) {}

  void start() {
    RunStarted started;
    started.run = id_;
    started.name = "it's \"a\", name\nof two lines";
    started.dataset = "synthetic";
    started.network = "4:6";
    started.batch_size = 8;
    started.steps = kSteps;
    started.split = "auto";
    started.devices.resize(2);
    started.devices[0].name = "A, quick";
    started.devices[1].name = "Gerät B";
    started.layers.resize(2);
    started.bandwidth_mbps = 100.0;
    started.experiment_json = "{\n  \"name\": \"ü\"\n}\n";
    tell([&](RunListener& l) { l.on_started(started); });
    RunCalibrated calibrated;
    calibrated.kernels = {{3, 1}, {6, 6}};
    calibrated.pictures = {{8, 8}, {5, 3}};
    calibrated.share = {0.75, 0.25};
    calibrated.gflops = {30, 10};
    calibrated.layers.assign(2, std::vector<LayerCalibration>(2));
    calibrated.layers[0][0].algorithm = {"fft", "", "gemm"};
    calibrated.layers[1][1].algorithm = {"gemm", "im2col+clblast", "fft"};
    tell([&](RunListener& l) { l.on_calibrated(calibrated); });
  }

  void steps(int count) {
    for (int number = 1; number <= count; ++number) {
      if (number == kMoved) {
        RunShares shares;
        shares.step = kMoved;
        shares.kernels = {{4, 0}, {6, 6}};
        shares.pictures = {{8, 0}, {1, 7}};
        tell([&](RunListener& l) { l.on_shares(shares); });
      }
      const RunStep made = step(number);
      tell([&](RunListener& l) { l.on_step(made); });
    }
  }

  void finish(RunOutcome outcome) {
    RunSummary s;
    s.run = id_;
    s.name = "it's \"a\", name\nof two lines";
    s.dataset = "synthetic";
    s.network = "4:6";
    s.batch_size = 8;
    s.devices = 2;
    s.bandwidth_mbps = std::nullopt;  // it was moved to unlimited
    s.split = "auto";
    s.steps = kSteps;
    for (auto* value : {&s.step_ms, &s.step_ms_p90, &s.conv_ms, &s.comm_ms, &s.comp_ms,
                        &s.conv_share, &s.baseline_step_ms, &s.speedup, &s.efficiency,
                        &s.predicted_step_ms, &s.images_per_s, &s.loss, &s.gradient_difference})
      *value = value_();
    s.step_ms_p10 = std::numeric_limits<double>::denorm_min();
    s.amdahl_limit = std::numeric_limits<double>::infinity();
    s.baseline = "A, quick";
    s.version = "0.1.0";
    s.outcome = outcome;
    if (outcome == RunOutcome::kFailed) s.failure = "no more";
    tell([&](RunListener& l) { l.on_finished(s); });
  }

 private:
  template <class Function>
  void tell(const Function& event) {
    for (RunListener* listener : listeners_) event(*listener);
  }

  double value_() { return std::uniform_real_distribution(0.0, 1e3)(random_); }

  RunStep step(int number) {
    RunStep step;
    step.step = number;
    step.epoch = 1 + number / 50;
    step.step_ms = value_();
    step.conv_ms = value_();
    step.comm_ms = 0.0;
    step.comp_ms = 7.0;
    step.loss = number == 3 ? std::numeric_limits<double>::quiet_NaN() : value_();
    if (number == 4) step.loss = -std::numeric_limits<double>::quiet_NaN();
    step.train_accuracy = 1.0 / 3.0;
    step.warm_up = number < 3;
    if (number > 10) step.bandwidth_mbps = value_();
    for (int device = 0; device < 2; ++device)
      for (int layer = 0; layer < 2; ++layer)
        for (const Pass pass : kAllPasses)
          for (const Activity activity : {Activity::kReceive, Activity::kCompute,
                                          Activity::kCompute, Activity::kSend, Activity::kWait}) {
            if (layer == 0 && pass == Pass::kBackwardData) continue;
            if (device == 1 && layer == 0 && number >= kMoved) continue;
            const TimePoint end = begin_ + std::chrono::nanoseconds(random_() % 90'000'000);
            step.slices.push_back({device, layer, pass, activity, begin_, end, random_()});
          }
    return step;
  }

  std::string id_;
  std::vector<RunListener*> listeners_;
  std::mt19937 random_{4711};
  TimePoint begin_ = SteadyClock::now();
};

}  // namespace

class RunExportTest : public QObject {
  Q_OBJECT

 private:
  std::unique_ptr<QTemporaryDir> temporary_;
  fs::path path(const std::string& name) const {
    return fs::path(temporary_->path().toStdString()) / name;
  }
  QByteArray content(const std::string& name) const {
    return QByteArray::fromStdString(read_whole_file(path(name), ErrorKind::kRun));
  }
  QString refusal(ErrorKind kind, const std::function<void()>& call) const {
    try {
      call();
    } catch (const Error& error) {
      return error.kind() == kind ? QString(error.what())
                                  : "of another kind: " + QString(error.what());
    }
    return "not refused";
  }

 private slots:
  void init() { temporary_ = std::make_unique<QTemporaryDir>(); }
  void gives_the_files_of_the_run_data();
  void gives_the_files_of_the_run();
  void gives_the_right_run_of_several();
  void a_killed_run_has_no_summary();
  void writes_nothing_over();
};

void RunExportTest::gives_the_files_of_the_run_data() {
  QTest::addColumn<int>("outcome");
  QTest::newRow("done") << static_cast<int>(RunOutcome::kDone);
  QTest::newRow("stopped") << static_cast<int>(RunOutcome::kStopped);
  QTest::newRow("failed") << static_cast<int>(RunOutcome::kFailed);
}

void RunExportTest::gives_the_files_of_the_run() {
  QFETCH(int, outcome);
  {
    RunFolder folder(path("run"));
    LabBook book(path("book"));
    Run run("r1", {&folder, &book});
    run.start();
    run.steps(kSteps);
    run.finish(static_cast<RunOutcome>(outcome));
  }
  LabBookReader book(path("book"));
  const std::vector<std::string> names = export_run(book, "r1", path("new/export"));
  QCOMPARE(names, (std::vector<std::string>{"experiment.json", "steps.csv", "devices.csv",
                                            "summary.csv"}));
  for (const std::string& name : names) {
    QVERIFY(!content("run/" + name).isEmpty());
    QCOMPARE(content("new/export/" + name), content("run/" + name));
  }
  // They have what they should have, and more than their heading.
  QCOMPARE(content("run/steps.csv").count('\n'), kSteps + 1);
  QVERIFY(content("run/steps.csv").contains(",nan,") &&
          content("run/steps.csv").contains(",-nan,"));
  QCOMPARE(content("run/devices.csv").count('\n'), 1 + 10 * kSteps - 2 * (kSteps - kMoved + 1));
}

void RunExportTest::gives_the_right_run_of_several() {
  for (const std::string id : {"r2", "r1"}) {
    RunFolder folder(path(id));
    LabBook book(path("book"));
    Run run(id, {&folder, &book});
    run.start();
    run.steps(id == "r2" ? 3 : 5);
    run.finish(RunOutcome::kDone);
  }
  LabBookReader book(path("book"));
  QCOMPARE(book.run_ids(), (std::vector<std::string>{"r2", "r1"}));
  for (const std::string id : {"r1", "r2"})
    for (const std::string& name : export_run(book, id, path("out/" + id)))
      QCOMPARE(content("out/" + id + "/" + name), content(id + "/" + name));
  QVERIFY(!book.run("r3"));
  QVERIFY(refusal(ErrorKind::kData, [&] {
            export_run(book, "r3", path("out/r3"));
          }).contains("run r3: is not in the lab book"));
  QVERIFY(!fs::exists(path("out/r3")));
}

void RunExportTest::a_killed_run_has_no_summary() {
  {
    RunFolder folder(path("run"));
    LabBook book(path("book"));
    Run run("r1", {&folder, &book});
    run.start();
    run.steps(100);  // two batches of the lab book
  }
  LabBookReader book(path("book"));
  const std::vector<std::string> names = export_run(book, "r1", path("export"));
  QCOMPARE(names, (std::vector<std::string>{"experiment.json", "steps.csv", "devices.csv"}));
  QVERIFY(!book.run("r1")->outcome);
  // Killed, the steps that were still waiting for their transaction are lost.
  for (const char* file : {"steps.csv", "devices.csv"}) {
    const QByteArray exported = content(std::string("export/") + file);
    QVERIFY(exported.count('\n') > 70);
    QVERIFY(content(std::string("run/") + file).startsWith(exported));
  }
}

void RunExportTest::writes_nothing_over() {
  {
    LabBook book(path("book"));
    Run run("r1", {&book});
    run.start();
    run.steps(1);
    run.finish(RunOutcome::kDone);
  }
  LabBookReader book(path("book"));
  fs::create_directories(path("out"));
  write_file_atomically(path("out/summary.csv"), "mine");
  const QString message = refusal(ErrorKind::kUsage, [&] { export_run(book, "r1", path("out")); });
  QVERIFY2(message.contains("out/summary.csv: is there already"), qPrintable(message));
  QCOMPARE(content("out/summary.csv"), QByteArray("mine"));
  QVERIFY(!fs::exists(path("out/steps.csv")));
  write_file_atomically(path("file"), "");
  QVERIFY(refusal(ErrorKind::kRun, [&] {
            export_run(book, "r1", path("file"));
          }).contains("cannot create the folder"));
}

QTEST_GUILESS_MAIN(RunExportTest)
#include "run_export_test.moc"
