// `convoy run` as a process: its files, exit codes and messages, and Ctrl-C.
#include <signal.h>
#include <sys/resource.h>

#include <QDir>
#include <QElapsedTimer>
#include <cmath>
#include <map>

#include "tests/cli/program.h"

using nlohmann::json;

namespace {

using Row = QMap<QString, QString>;

// A CSV file without quoted line breaks.
QList<Row> read_csv(const QString& path) {
  QFile file(path);
  if (!file.open(QIODevice::ReadOnly)) return {};
  const QStringList lines = QString(file.readAll()).split("\r\n", Qt::SkipEmptyParts);
  const QStringList columns = lines.value(0).split(',');
  QList<Row> rows;
  for (const QString& line : lines.mid(1)) {
    const QStringList fields = line.split(',');
    if (fields.size() != columns.size()) return {};
    Row row;
    for (qsizetype i = 0; i < columns.size(); ++i) row[columns[i]] = fields[i];
    rows.append(row);
  }
  return rows;
}

json read_json(const QString& path) {
  QFile file(path);
  if (!file.open(QIODevice::ReadOnly)) return json::value_t::discarded;
  return json::parse(file.readAll().toStdString(), nullptr, false);
}

}  // namespace

class RunTest : public QObject, private TestFolder {
  Q_OBJECT

 private:
  int devices_ = 0;

 private slots:
  void initTestCase();
  void leaves_files_that_agree();
  void does_not_depend_on_the_locale();
  void settings_change_the_experiment();
  void events_tell_the_run();
  void records_into_a_lab_book();
  void quiet_is_quiet();
  void refuses_data();
  void files_that_may_grow_no_further_are_an_error();
  void refuses();
  void ctrl_c_keeps_what_was_measured();
};

void RunTest::initTestCase() {
  const QList<int> all = cores();
  QVERIFY(!all.isEmpty());
  // Two CPU devices need two cores; where there is but one, one device has to do.
  devices_ = std::min<int>(2, static_cast<int>(all.size()));
  QString devices = QString(R"({"id": "cpu:%1", "name": "A"})").arg(all.first());
  if (devices_ == 2) devices += QString(R"(, {"id": "cpu:%1", "name": "B"})").arg(all.last());
  save("small.json", QString(R"({"name": "small", "dataset": {"train_limit": 200, "test_limit": 50},
                   "network": {"kernels": [6, 8]},
                   "training": {"batch_size": 16, "steps": 6},
                   "devices": [%1]})")
                         .arg(devices)
                         .toUtf8());
}

void RunTest::leaves_files_that_agree() {
  const Outcome outcome = run_convoy({"run", file("small.json"), "--out", file("out")});
  QVERIFY2(outcome.code == 0, qPrintable(outcome.err));
  for (const char* word : {"device", "kernels", "GFLOP/s", "share", "speedup", "efficiency",
                           "Amdahl", "baseline", "loss", "accuracy"})
    QVERIFY2(outcome.out.contains(word), qPrintable(outcome.out));
  QVERIFY(outcome.out.contains(file("out")));
  QVERIFY(outcome.err.contains("calibrating") && outcome.err.contains("training"));

  const QList<Row> steps = read_csv(file("out/steps.csv"));
  const QList<Row> devices = read_csv(file("out/devices.csv"));
  const QList<Row> summary = read_csv(file("out/summary.csv"));
  QCOMPARE(steps.size(), 6);
  QCOMPARE(summary.size(), 1);
  QCOMPARE(summary[0]["network"], QString("6:8"));
  QCOMPARE(summary[0]["devices"].toInt(), devices_);
  QCOMPARE(summary[0]["steps"], QString("6"));
  QCOMPARE(summary[0]["outcome"], QString("done"));
  for (const char* column : {"step_ms", "baseline_step_ms", "speedup", "efficiency", "amdahl_limit",
                             "images_per_s", "loss", "test_accuracy"})
    QVERIFY2(summary[0][column].toDouble() > 0, column);
  const auto number = [](const Row& row, const char* column) { return row[column].toDouble(); };
  QVERIFY(std::abs(number(summary[0], "speedup") -
                   number(summary[0], "baseline_step_ms") / number(summary[0], "step_ms")) < 1e-9);

  for (const Row& step : steps) {
    const double parts =
        number(step, "conv_ms") + number(step, "comm_ms") + number(step, "comp_ms");
    QVERIFY(std::abs(number(step, "step_ms") / parts - 1) < 1e-6);
    // Per step: the kernels of a layer sum to the layer's, what one layer needs is there.
    std::map<std::pair<QString, QString>, int> kernels;  // by layer and pass
    std::map<QString, double> conv;                      // by device
    for (const Row& row : devices) {
      if (row["step"] != step["step"]) continue;
      kernels[{row["layer"], row["pass"]}] += row["kernels"].toInt();
      conv[row["device"]] += number(row, "conv_ms");
      QVERIFY(!row["algorithm"].isEmpty());
      if (row["device"] == "A") {
        QCOMPARE(row["bytes_sent"], QString("0"));
      } else {
        QVERIFY(row["bytes_sent"].toLongLong() > 0);
      }
    }
    const std::map<std::pair<QString, QString>, int> expected = {{{"1", "forward"}, 6},
                                                                 {{"1", "backward-weights"}, 6},
                                                                 {{"2", "forward"}, 8},
                                                                 {{"2", "backward-data"}, 8},
                                                                 {{"2", "backward-weights"}, 8}};
    QVERIFY(kernels == expected);
    // A step's conv_ms is the slowest device's, layer by layer: at least each device's sum.
    for (const auto& [device, ms] : conv)
      QVERIFY2(ms <= number(step, "conv_ms") * (1 + 1e-6), qPrintable(device));
  }
  QVERIFY(read_json(file("out/trace.json"))["traceEvents"].size() > 60);
  QCOMPARE(static_cast<int>(read_json(file("out/experiment.json"))["devices"].size()), devices_);
  QVERIFY(QFileInfo(file("out/weights.safetensors")).size() > 1000);
  // What was run can be run again.
  QCOMPARE(run_convoy({"run", file("out/experiment.json"), "--quiet"}).code, 0);
}

void RunTest::does_not_depend_on_the_locale() {
  const Outcome outcome = run_convoy(
      {"run", file("small.json"), "--out", file("locale"), "--set", "training.learning_rate=0.005"},
      {}, {"LC_ALL=de_DE.UTF-8", "LANG=de_DE.UTF-8"});
  QVERIFY2(outcome.code == 0, qPrintable(outcome.err));
  QCOMPARE(read_csv(file("locale/steps.csv")).size(), 6);  // no field was split by a comma
  QCOMPARE(read_json(file("locale/experiment.json"))["training"]["learning_rate"], json(0.005));
}

void RunTest::settings_change_the_experiment() {
  const Outcome outcome = run_convoy({"run", "--set", "training.steps=2", file("small.json"),
                                      "--set", "network.kernels=[3]", "--set", "name=changed",
                                      "--set", "baseline=none", "--out", file("set")});
  QVERIFY2(outcome.code == 0, qPrintable(outcome.err));
  const QList<Row> summary = read_csv(file("set/summary.csv"));
  QCOMPARE(summary.value(0)["name"], QString("changed"));
  QCOMPARE(summary.value(0)["network"], QString("3"));
  QCOMPARE(summary.value(0)["steps"], QString("2"));
  QCOMPARE(summary.value(0)["baseline_step_ms"], QString());
  QCOMPARE(summary.value(0)["speedup"], QString());
}

void RunTest::events_tell_the_run() {
  const Outcome outcome = run_convoy({"run", file("small.json"), "--events", "-", "--quiet"});
  QVERIFY2(outcome.code == 0, qPrintable(outcome.err));
  QStringList order;
  json last;
  for (const QString& line : outcome.out.split('\n', Qt::SkipEmptyParts)) {
    last = json::parse(line.toStdString());
    const QString event = QString::fromStdString(last["event"]);
    // The prediction comes with a second "calibrated", once the baseline is known.
    const bool again = event == "calibrated" && order.contains(event);
    if (event != "phase" && event != "message" && !again) order.append(event);
  }
  QCOMPARE(order, (QStringList{"started", "calibrated", "baseline", "step", "step", "step", "step",
                               "step", "step", "finished"}));
  QCOMPARE(last["outcome"], json("done"));
  QVERIFY(outcome.err.contains("speedup"));  // the table makes room for the events
  QCOMPARE(
      run_convoy({"run", file("small.json"), "--events", file("events.jsonl"), "--quiet"}).code, 0);
  QVERIFY(QFileInfo(file("events.jsonl")).size() > 500);
  // Beside the other files, in the folder that is made for them.
  const Outcome beside = run_convoy({"run", file("small.json"), "--out", file("all"), "--events",
                                     file("all/events.jsonl"), "--record", file("all/r.sqlite")});
  QVERIFY2(beside.code == 0, qPrintable(beside.err));
  QVERIFY(QFileInfo(file("all/events.jsonl")).size() > 500);
}

void RunTest::records_into_a_lab_book() {
  for (int runs = 1; runs <= 2; ++runs)
    QCOMPARE(
        run_convoy({"run", file("small.json"), "--quiet", "--record", file("runs.sqlite")}).code,
        0);
  // Its content is tested where it is written; here, that both runs are in it.
  QFile book(file("runs.sqlite"));
  QVERIFY(book.open(QIODevice::ReadOnly));
  const QByteArray content = book.readAll();
  QVERIFY(content.startsWith("SQLite format 3"));
  QCOMPARE(content.count("\"name\": \"small\""), 2);
  const Outcome outcome = run_convoy({"run", file("small.json"), "--record", file("small.json")});
  QCOMPARE(outcome.code, 5);
  QVERIFY2(outcome.err.contains("not a database"), qPrintable(outcome.err));
}

void RunTest::quiet_is_quiet() {
  const Outcome outcome = run_convoy({"run", file("small.json"), "--quiet"});
  QCOMPARE(outcome.code, 0);
  QVERIFY2(!outcome.err.contains("training"), qPrintable(outcome.err));
  QVERIFY(outcome.out.contains("speedup"));
}

void RunTest::files_that_may_grow_no_further_are_an_error() {
  save("large.json", R"({"dataset": {"kind": "synthetic", "train_limit": 8, "test_limit": 8},
    "network": {"kernels": [20, 200]}, "training": {"batch_size": 8, "steps": 1},
    "devices": [{"id": "cpu"}], "baseline": "none"})");
  QProcess process;
  process.setChildProcessModifier([] {
    const rlimit least{100'000, 100'000};  // the weights have 400 kB
    setrlimit(RLIMIT_FSIZE, &least);
  });
  process.start(CONVOY_PROGRAM, {"run", file("large.json"), "--out", file("large"), "--quiet"});
  QVERIFY(process.waitForFinished(240'000));
  QCOMPARE(process.exitStatus(), QProcess::NormalExit);
  QCOMPARE(process.exitCode(), 5);
  const QByteArray message = process.readAllStandardError();
  QVERIFY2(message.contains("weights.safetensors"), message);
  QCOMPARE(read_csv(file("large/summary.csv")).size(), 1);  // what was measured is kept
}

void RunTest::refuses_data() {
  QTest::addColumn<QStringList>("arguments");
  QTest::addColumn<int>("code");
  QTest::addColumn<QStringList>("fragments");
  const auto row = [](const char* name, const QStringList& arguments, int code,
                      const QStringList& fragments) {
    QTest::newRow(name) << arguments << code << fragments;
  };
  const auto set = [](const char* setting) { return QStringList{"small.json", "--set", setting}; };
  row("no file", {"none.json"}, 2, {"none.json"});
  row("a folder", {"."}, 2, {"folder"});
  row("syntax", {"broken.json"}, 2, {"broken.json: line 2, column 3"});
  row("value", set("training.batch_size=0"), 2,
      {"small.json: /training/batch_size: found 0", "65536"});
  row("key", set("training.batchsize=1"), 2, {"/training/batchsize", "did you mean"});
  row("bandwidth", set("link.bandwidth_mbps=none"), 2, {"or null for unlimited"});
  row("setting", set("training"), 2, {"--set training", "="});
  row("batch larger than the data", set("training.batch_size=201"), 2, {"201", "200"});
  row("device", set("devices.0.id=opencl:99:0"), 3, {"opencl:99:0"});
  row("core", set("devices.0.id=cpu:9999"), 3, {"9999"});
  row("data", set("dataset={\"kind\": \"cifar10\", \"path\": \"nowhere\"}"), 4, {"nowhere"});
  row("weights", set("training.initial_weights=none.safetensors"), 4, {"none.safetensors"});
  row("out", {"small.json", "--out", "broken.json"}, 5, {"broken.json"});
  row("events", {"small.json", "--events", "no/such/folder"}, 5, {"no/such/folder"});
}

void RunTest::refuses() {
  save("broken.json", "{\n  oops }");
  QFETCH(QStringList, arguments);
  QFETCH(int, code);
  QFETCH(QStringList, fragments);
  QStringList command = QStringList{"run"} + arguments;
  if (!arguments.contains("--out")) command += {"--out", "refused"};
  const Outcome outcome = run_convoy(command, path());
  QVERIFY2(outcome.code == code, qPrintable(QString::number(outcome.code) + ": " + outcome.err));
  for (const QString& fragment : fragments)
    QVERIFY2(outcome.err.contains(fragment), qPrintable(outcome.err + " lacks " + fragment));
  QCOMPARE(outcome.out, QString());
  // Nothing is left of a run that never began.
  QVERIFY(QDir(file("refused")).entryList(QDir::Files).isEmpty());
}

void RunTest::ctrl_c_keeps_what_was_measured() {
  for (const int number : {SIGINT, SIGTERM}) {
    QDir(file("stopped")).removeRecursively();
    QProcess process;
    process.start(CONVOY_PROGRAM, {"run", file("small.json"), "--set", "training.steps=1000000",
                                   "--out", file("stopped"), "--events", "-", "--quiet"});
    // Wait for the first steps, however long that takes.
    QByteArray out;
    while (out.count("\"event\":\"step\"") < 3) {
      QVERIFY2(process.waitForReadyRead(120'000), qPrintable(process.readAllStandardError()));
      out += process.readAllStandardOutput();
    }
    QCOMPARE(::kill(static_cast<pid_t>(process.processId()), number), 0);
    QVERIFY(process.waitForFinished(120'000));
    QCOMPARE(process.exitStatus(), QProcess::NormalExit);
    QCOMPARE(process.exitCode(), 130);
    const QList<Row> summary = read_csv(file("stopped/summary.csv"));
    QCOMPARE(summary.size(), 1);
    QCOMPARE(summary[0]["outcome"], QString("stopped"));
    const QList<Row> steps = read_csv(file("stopped/steps.csv"));
    QVERIFY(steps.size() >= 3);
    QCOMPARE(summary[0]["steps"].toLongLong(), static_cast<qlonglong>(steps.size()));
    QVERIFY(!read_json(file("stopped/trace.json")).is_discarded());
    QVERIFY(!read_json(file("stopped/experiment.json")).is_discarded());
  }
}

QTEST_GUILESS_MAIN(RunTest)
#include "run_test.moc"
