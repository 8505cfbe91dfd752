// The files that a run leaves: columns, sums, quoting, and that they are whole at any moment.
#include "engine/results/run_folder.h"

#include <sys/resource.h>

#include <QtTest>
#include <clocale>
#include <cmath>
#include <csignal>
#include <filesystem>
#include <limits>
#include <nlohmann/json.hpp>

#include "engine/base/atomic_file.h"
#include "engine/results/csv.h"
#include "engine/results/growing_file.h"

using namespace convoy;
using nlohmann::json;
using std::chrono::microseconds;

namespace {

const TimePoint kBegin = SteadyClock::now();

RunStarted two_devices() {
  RunStarted started;
  started.run = "r1";
  started.name = "a, \"b\"";
  started.dataset = "synthetic";
  started.network = "4:6";
  started.batch_size = 8;
  started.steps = 2;
  started.split = "kernels";
  started.devices.resize(2);
  started.devices[0].name = "A";
  started.devices[1].name = "B, slow";
  started.layers.resize(2);
  started.experiment_json = "{}\n";
  return started;
}

RunCalibrated shares() {
  RunCalibrated calibrated;
  calibrated.kernels = {{3, 1}, {4, 2}};
  calibrated.pictures = {{8, 8}, {8, 8}};
  calibrated.layers.assign(2, std::vector<LayerCalibration>(2));
  calibrated.layers[0][0].algorithm = {"gemm", "", "fft"};
  calibrated.layers[0][1].algorithm = {"fft", "", "fft"};
  calibrated.layers[1][1].algorithm = {"fft", "fft", "im2col+vector"};
  return calibrated;
}

Slice slice(int device, int layer, Pass pass, Activity activity, int from_us, int to_us,
            std::uint64_t bytes = 0) {
  return {
      device, layer, pass, activity, kBegin + microseconds(from_us), kBegin + microseconds(to_us),
      bytes};
}

RunStep step(int number) {
  RunStep step;
  step.step = number;
  step.epoch = 1;
  step.step_ms = 10.5;
  step.conv_ms = 6;
  step.comm_ms = 2.5;
  step.comp_ms = 2;
  step.loss = 0.1 + 0.2;  // 0.30000000000000004
  step.train_accuracy = 0.5;
  step.warm_up = number == 1;
  if (number == 2) step.bandwidth_mbps = 1000;  // moved after the first step
  step.slices = {slice(0, 0, Pass::kForward, Activity::kCompute, 0, 2000),
                 slice(0, 0, Pass::kForward, Activity::kCompute, 2000, 2500),
                 slice(0, 0, Pass::kForward, Activity::kWait, 2500, 4000),
                 slice(1, 0, Pass::kForward, Activity::kReceive, 0, 1000, 400),
                 slice(1, 0, Pass::kForward, Activity::kCompute, 1000, 3000),
                 slice(1, 0, Pass::kForward, Activity::kSend, 3000, 4000, 96),
                 slice(1, 1, Pass::kBackwardWeights, Activity::kCompute, 5000, 6000)};
  step.master = {{"update", kBegin + microseconds(9000), kBegin + microseconds(10500)}};
  return step;
}

}  // namespace

class RunFolderTest : public QObject {
  Q_OBJECT

 private:
  QTemporaryDir temporary_;
  std::filesystem::path path(const char* name) const {
    return std::filesystem::path(temporary_.path().toStdString()) / "a" / "run" / name;
  }
  QString content(const char* name) const {
    return QString::fromStdString(read_whole_file(path(name), ErrorKind::kRun));
  }

 private slots:
  void init() { std::filesystem::remove_all(path("").parent_path()); }
  void writes_steps();
  void writes_one_line_a_device_layer_and_pass();
  void the_kernels_column_follows_the_shares();
  void writes_the_summary();
  void is_readable_after_every_step();
  void replaces_an_earlier_run();
  void writes_nothing_before_the_run_starts();
  void says_when_the_folder_cannot_be_made();
  void says_when_the_disk_is_full();
  void quotes_fields();
  void numbers_read_back_in_any_locale();
};

void RunFolderTest::writes_steps() {
  RunFolder folder(path(""));
  folder.on_started(two_devices());
  folder.on_calibrated(shares());
  folder.on_step(step(1));
  folder.on_step(step(2));
  QCOMPARE(content("steps.csv"),
           QString("step,epoch,step_ms,conv_ms,comm_ms,comp_ms,loss,train_accuracy,warm_up,"
                   "bandwidth_mbps\r\n"
                   "1,1,10.5,6,2.5,2,0.30000000000000004,0.5,1,\r\n"
                   "2,1,10.5,6,2.5,2,0.30000000000000004,0.5,0,1000\r\n"));
  QCOMPARE(content("experiment.json"), QString("{}\n"));
}

void RunFolderTest::writes_one_line_a_device_layer_and_pass() {
  RunFolder folder(path(""));
  folder.on_started(two_devices());
  folder.on_calibrated(shares());
  folder.on_step(step(7));
  QCOMPARE(content("devices.csv"),
           QString("step,device,layer,pass,kernels,conv_ms,send_ms,receive_ms,wait_ms,bytes_sent,"
                   "bytes_received,algorithm,pictures\r\n"
                   "7,A,1,forward,3,2.5,0,0,1.5,0,0,gemm,8\r\n"
                   "7,\"B, slow\",1,forward,1,2,1,1,0,96,400,fft,8\r\n"
                   "7,\"B, slow\",2,backward-weights,2,1,0,0,0,0,0,im2col+vector,8\r\n"));
}

void RunFolderTest::the_kernels_column_follows_the_shares() {
  RunFolder folder(path(""));
  folder.on_started(two_devices());
  folder.on_calibrated(shares());
  folder.on_step(step(1));
  RunShares moved;
  moved.step = 2;
  moved.kernels = {{4, 0}, {1, 5}};
  moved.pictures = {{8, 0}, {8, 8}};
  folder.on_shares(moved);
  folder.on_step(step(2));
  const QString text = content("devices.csv");
  QVERIFY(text.contains("\r\n1,A,1,forward,3,"));
  QVERIFY(text.contains("\r\n2,A,1,forward,4,"));
  QVERIFY(text.contains("\r\n1,\"B, slow\",2,backward-weights,2,"));
  QVERIFY(text.contains("\r\n2,\"B, slow\",2,backward-weights,5,"));
}

void RunFolderTest::writes_the_summary() {
  RunFolder folder(path(""));
  folder.on_started(two_devices());
  RunSummary summary;
  summary.run = "r1";
  summary.name = "a, \"b\"";
  summary.dataset = "synthetic";
  summary.network = "4:6";
  summary.batch_size = 8;
  summary.devices = 2;
  summary.split = "kernels";
  summary.steps = 2;
  summary.step_ms = 10.5;
  summary.version = "1.2.3";
  summary.outcome = RunOutcome::kStopped;
  summary.gradient_difference = 3e-6;
  QVERIFY(!std::filesystem::exists(path("summary.csv")));
  folder.on_finished(summary);
  QCOMPARE(content("summary.csv"),
           QString("run,name,dataset,network,batch_size,devices,bandwidth_mbps,split,steps,step_ms,"
                   "step_ms_p10,step_ms_p90,conv_ms,comm_ms,comp_ms,conv_share,baseline,"
                   "baseline_step_ms,speedup,efficiency,amdahl_limit,predicted_step_ms,"
                   "images_per_s,loss,test_accuracy,version,outcome,gradient_difference\r\n"
                   "r1,\"a, \"\"b\"\"\",synthetic,4:6,8,2,,kernels,2,10.5,,,,,,,,,,,,,,,,1.2.3,"
                   "stopped,3e-06\r\n"));
}

void RunFolderTest::is_readable_after_every_step() {
  RunFolder folder(path(""));
  folder.on_started(two_devices());
  folder.on_calibrated(shares());
  std::size_t events = json::parse(content("trace.json").toStdString())["traceEvents"].size();
  for (int number = 1; number <= 3; ++number) {
    folder.on_step(step(number));
    const json trace = json::parse(content("trace.json").toStdString());
    QCOMPARE(trace["traceEvents"].size(), events + 8);
    events += 8;
    QVERIFY(content("steps.csv").endsWith("\r\n"));
    QCOMPARE(content("steps.csv").count('\n'), number + 1);
  }
  const json trace = json::parse(content("trace.json").toStdString());
  QCOMPARE(trace["displayTimeUnit"], json("ms"));
  // Nanoseconds, not the noise of binary fractions: nothing grows as fast as a trace.
  QVERIFY(!content("trace.json").contains(QRegularExpression("\\.\\d{4}")));
  std::map<int, std::string> rows;
  for (const json& event : trace["traceEvents"])
    if (event["name"] == "thread_name") rows[event["tid"]] = event["args"]["name"];
  QCOMPARE(rows.size(), std::size_t{3});
  const json receive = trace["traceEvents"].at(trace["traceEvents"].size() - 5);
  QVERIFY(rows[receive["tid"]].starts_with("B, slow"));
  QCOMPARE(receive["ph"], json("X"));
  QCOMPARE(receive["args"]["bytes"], json(400));
  QCOMPARE(receive["args"]["layer"], json(1));
  QCOMPARE(receive["args"]["pass"], json("forward"));
  QVERIFY(std::abs(receive["dur"].get<double>() - 1000) < 1e-6);
  const json update = trace["traceEvents"].back();
  QCOMPARE(update["name"], json("update"));
  QVERIFY(rows[update["tid"]].starts_with("master"));
  QVERIFY(std::abs(update["ts"].get<double>() - receive["ts"].get<double>() - 9000) < 1e-6);
}

void RunFolderTest::replaces_an_earlier_run() {
  std::filesystem::create_directories(path(""));
  for (const char* name : {"summary.csv", "weights.safetensors", "steps.csv", "trace.json"})
    write_file_atomically(path(name), std::string(100000, 'x'));
  RunFolder folder(path(""));
  QVERIFY(content("summary.csv").startsWith("xxx"));  // not before the run has begun
  folder.on_started(two_devices());
  QVERIFY(!std::filesystem::exists(path("summary.csv")));
  QVERIFY(!std::filesystem::exists(path("weights.safetensors")));
  QCOMPARE(content("steps.csv").count('\n'), 1);
  QVERIFY(json::accept(content("trace.json").toStdString()));
}

void RunFolderTest::writes_nothing_before_the_run_starts() {
  const RunFolder folder(path(""));
  QVERIFY(std::filesystem::is_directory(path("")));
  QVERIFY(std::filesystem::is_empty(path("")));
}

void RunFolderTest::says_when_the_folder_cannot_be_made() {
  std::filesystem::create_directories(path("").parent_path().parent_path());
  write_file_atomically(path("").parent_path(), "a file");
  try {
    const RunFolder folder(path(""));
    QFAIL("a folder was made where a file is");
  } catch (const Error& error) {
    QVERIFY(error.kind() == ErrorKind::kRun);
    QVERIFY2(QString(error.what()).contains("run"), error.what());
  }
  std::filesystem::remove(path("").parent_path());
}

void RunFolderTest::says_when_the_disk_is_full() {
  RunFolder folder(path(""));
  folder.on_started(two_devices());
  folder.on_calibrated(shares());
  folder.on_step(step(1));
  const QString trace = content("trace.json");
  // A limit on the size of files stands in for the full disk.
  struct rlimit before {};
  QCOMPARE(getrlimit(RLIMIT_FSIZE, &before), 0);
  std::signal(SIGXFSZ, SIG_IGN);
  const rlim_t room = static_cast<rlim_t>(trace.size()) + 100;
  const struct rlimit small { room, before.rlim_max };
  QCOMPARE(setrlimit(RLIMIT_FSIZE, &small), 0);
  QString message;
  try {
    folder.on_step(step(2));
  } catch (const Error& error) {
    message = error.kind() == ErrorKind::kRun ? error.what() : "of another kind";
  }
  setrlimit(RLIMIT_FSIZE, &before);
  QVERIFY2(message.contains("trace.json: cannot write the file: "), qPrintable(message));
  // What was there stays readable.
  QCOMPARE(content("trace.json"), trace);
}

void RunFolderTest::quotes_fields() {
  QCOMPARE(csv_field("plain text"), std::string("plain text"));
  QCOMPARE(csv_field("a,b"), std::string("\"a,b\""));
  QCOMPARE(csv_field("say \"x\""), std::string("\"say \"\"x\"\"\""));
  QCOMPARE(csv_field("two\nlines"), std::string("\"two\nlines\""));
  CsvLines csv;
  csv.add_all(1, std::optional<double>(), "", std::string("x"), std::optional<int>(3));
  csv.end_line();
  csv.add("y");
  csv.end_line();
  QCOMPARE(csv.text(), std::string("1,,,x,3\r\ny\r\n"));
}

void RunFolderTest::numbers_read_back_in_any_locale() {
  for (const char* name : {"de_DE.UTF-8", "fr_FR.UTF-8", "C.UTF-8"}) std::setlocale(LC_ALL, name);
  for (const double value :
       {0.1, 1e-300, 123456789.123456789, -0.5, 5e-324, std::numeric_limits<double>::max()}) {
    CsvLines csv;
    csv.add(value);
    QCOMPARE(QString::fromStdString(csv.text()).toDouble(), value);  // always the C locale
    QVERIFY(csv.text().find(',') == std::string::npos);
  }
  std::setlocale(LC_ALL, "C");
}

QTEST_GUILESS_MAIN(RunFolderTest)
#include "run_folder_test.moc"
