// `convoy sweep` as a process: its runs and their order, sweep.csv, failures, refusals and Ctrl-C.
#include <signal.h>
#include <unistd.h>

#include <QDir>
#include <cmath>

#include "tests/cli/program.h"

namespace {

using Row = QMap<QString, QString>;

// The lines of a CSV file as fields, those in quotes too; no line breaks or quotes within fields.
QList<QStringList> read_lines(const QString& path) {
  QFile file(path);
  if (!file.open(QIODevice::ReadOnly)) return {};
  QList<QStringList> lines;
  for (const QString& line : QString(file.readAll()).split("\r\n", Qt::SkipEmptyParts)) {
    QStringList fields(1);
    bool quoted = false;
    for (const QChar c : line) {
      if (c == '"')
        quoted = !quoted;
      else if (c == ',' && !quoted)
        fields.append(QString());
      else
        fields.last() += c;
    }
    lines.append(fields);
  }
  return lines;
}

QList<Row> read_csv(const QString& path) {
  const QList<QStringList> lines = read_lines(path);
  QList<Row> rows;
  for (const QStringList& fields : lines.mid(1)) {
    if (fields.size() != lines[0].size()) return {};
    Row& row = rows.emplaceBack();
    for (qsizetype i = 0; i < fields.size(); ++i) row[lines[0][i]] = fields[i];
  }
  return rows;
}

QStringList column(const QList<Row>& rows, const QString& name) {
  QStringList values;
  for (const Row& row : rows) values.append(row.value(name, "no such column"));
  return values;
}

}  // namespace

class SweepTest : public QObject, private TestFolder {
  Q_OBJECT

 private:
  Outcome sweep(const QStringList& arguments) const {
    return run_convoy(QStringList{"sweep", file("small.json")} + arguments);
  }

 private slots:
  void initTestCase();
  void runs_all_combinations_and_then_all_again();
  void values_with_commas_stay_one_field();
  void goes_on_after_a_failure();
  void refuses_data();
  void refuses();
  void leaves_an_earlier_sweep_alone();
  void writes_nothing_into_files_for_closed_streams();
  void ctrl_c_ends_the_sweep();
};

void SweepTest::initTestCase() {
  QVERIFY(!cores().isEmpty());
  const QString id = QString("cpu:%1").arg(cores().first());
  save("small.json", QString(R"({"name": "small", "dataset": {"train_limit": 100, "test_limit": 8},
                   "network": {"kernels": [4, 6]}, "training": {"batch_size": 8, "steps": 3},
                   "devices": [{"id": "%1", "name": "A"}, {"id": "%1", "name": "B"}],
                   "clock": "virtual"})")
                         .arg(id)
                         .toUtf8());
}

void SweepTest::runs_all_combinations_and_then_all_again() {
  const Outcome outcome =
      sweep({"--vary", "link.bandwidth_mbps=100,null", "--vary", "devices=1,2", "--repeat", "2",
             "--set", "training.steps=2", "--out", file("all")});
  QVERIFY2(outcome.code == 0, qPrintable(outcome.err));

  const QList<Row> rows = read_csv(file("all/sweep.csv"));
  QCOMPARE(rows.size(), 8);
  QCOMPARE(column(rows, "folder"),
           (QStringList{"001", "002", "003", "004", "005", "006", "007", "008"}));
  QCOMPARE(column(rows, "repeat"), (QStringList{"1", "1", "1", "1", "2", "2", "2", "2"}));
  QCOMPARE(column(rows, "link.bandwidth_mbps"),
           (QStringList{"100", "100", "null", "null", "100", "100", "null", "null"}));
  QCOMPARE(column(rows, "varied devices"), (QStringList{"1", "2", "1", "2", "1", "2", "1", "2"}));
  QCOMPARE(column(rows, "devices"), column(rows, "varied devices"));
  QCOMPARE(column(rows, "bandwidth_mbps"),
           (QStringList{"100", "100", "", "", "100", "100", "", ""}));
  QCOMPARE(column(rows, "steps"), QStringList(8, "2"));
  QCOMPARE(column(rows, "outcome"), QStringList(8, "done"));

  // A line ends with the summary of its run, whose files are those of `convoy run`.
  const QList<QStringList> lines = read_lines(file("all/sweep.csv"));
  for (qsizetype i = 0; i < rows.size(); ++i) {
    const QString folder = file("all/" + rows[i]["folder"]);
    const QList<QStringList> summary = read_lines(folder + "/summary.csv");
    QCOMPARE(summary.size(), 2);
    QCOMPARE(lines[0].mid(4), summary[0]);
    QCOMPARE(lines[i + 1].mid(4), summary[1]);
    QCOMPARE(QDir(folder).entryList(QDir::Files).join(' '),
             QString("calibration.json devices.csv experiment.json steps.csv summary.csv "
                     "trace.json weights.safetensors"));
  }

  QVERIFY2(outcome.err.contains("run 6 of 8: link.bandwidth_mbps=100, devices=2, repeat 2"),
           qPrintable(outcome.err));
  QCOMPARE(outcome.out.count("2 of 2"), 4);
  // With two runs a median is their mean.
  const double mean = (rows[1]["step_ms"].toDouble() + rows[5]["step_ms"].toDouble()) / 2;
  const QString row = outcome.out.split('\n').value(2).simplified();
  QVERIFY2(row.startsWith("100 2 2 of 2 "), qPrintable(outcome.out));
  QVERIFY2(std::abs(row.section(' ', 5, 5).toDouble() - mean) < 0.0051, qPrintable(outcome.out));
}

void SweepTest::values_with_commas_stay_one_field() {
  const Outcome outcome = sweep({"--vary", "network.kernels=[3,4],[5]", "--vary", "method=best",
                                 "--quiet", "--out", file("new/commas")});
  QVERIFY2(outcome.code == 0, qPrintable(outcome.err));
  QVERIFY2(!outcome.err.contains("run 1") && !outcome.err.contains("training"),
           qPrintable(outcome.err));
  const QList<Row> rows = read_csv(file("new/commas/sweep.csv"));
  QCOMPARE(column(rows, "network.kernels"), (QStringList{"[3,4]", "[5]"}));
  QCOMPARE(column(rows, "network"), (QStringList{"3:4", "5"}));
  QCOMPARE(column(rows, "method"), (QStringList{"best", "best"}));
}

void SweepTest::goes_on_after_a_failure() {
  // The first diverges in its training (every step makes its weights 999 times as large), the
  // second is refused once the data is known.
  const Outcome outcome = sweep({"--vary", "training.learning_rate=1000,0.01", "--vary",
                                 "training.batch_size=8,101", "--set", "training.steps=20", "--set",
                                 "training.weight_decay=1", "--quiet", "--out", file("failures")});
  QVERIFY2(outcome.code == 5, qPrintable(outcome.err));
  const QList<Row> rows = read_csv(file("failures/sweep.csv"));
  QCOMPARE(column(rows, "outcome"), (QStringList{"failed", "failed", "done", "failed"}));
  QCOMPARE(column(rows, "batch_size"), (QStringList{"8", "101", "8", "101"}));
  QCOMPARE(column(rows, "name"), QStringList(4, "small"));
  QVERIFY(!rows[0]["run"].isEmpty());
  QCOMPARE(read_csv(file("failures/001/summary.csv")).value(0)["outcome"], QString("failed"));
  QVERIFY(rows[2]["step_ms"].toDouble() > 0);
  for (const char* words :
       {"run 1 of 4 (training.learning_rate=1000, training.batch_size=8, repeat 1) failed: ",
        "run 2 of 4 (", "101, but there are only 100"})
    QVERIFY2(outcome.err.contains(words), qPrintable(outcome.err));
  QVERIFY(!outcome.err.contains("run 3"));
  QCOMPARE(outcome.out.count("0 of 1"), 3);
  QCOMPARE(outcome.out.count("1 of 1"), 1);
}

void SweepTest::refuses_data() {
  QTest::addColumn<QStringList>("arguments");
  QTest::addColumn<QString>("fragment");
  QTest::addColumn<int>("code");
  const QStringList out = {"--out", "refused"};
  const QStringList good = {"--vary", "devices=1"};
  const auto row = [](const char* name, const QStringList& arguments, const char* fragment,
                      int code = 2) { QTest::newRow(name) << arguments << fragment << code; };
  row("nothing varied", out, "--vary");
  row("no folder", good, "--out");
  row("no repeat", out + good + QStringList{"--repeat", "0"}, "--repeat");
  row("varied twice", out + good + good, "\"devices\" is varied twice");
  row("no value", out + QStringList{"--vary", "seed="}, "a value is missing");
  row("a later value", out + QStringList{"--vary", "training.batch_size=8,0"},
      "with training.batch_size=0: ");
  row("a later combination", out + QStringList{"--vary", "devices=1,3", "--vary", "seed=1,2"},
      "with devices=3, seed=1: ");
  row("unknown key", out + QStringList{"--vary", "link.bandwith_mbps=1"}, "did you mean");
  row("a missing device", out + good + QStringList{"--set", "devices.0.id=opencl:99:0"},
      "opencl:99:0", 3);
  row("a missing device of a later combination",
      out + QStringList{"--vary", "seed=1,2", "--vary", "devices=1,2", "--set",
                        "devices.1.id=cpu:9999"},
      "with seed=1, devices=2: ", 3);
  row("devices that share a core", out + QStringList{"--vary", "clock=\"virtual\",\"wall\""},
      "with clock=\"wall\": /devices/1/id: ");
}

void SweepTest::refuses() {
  QFETCH(QStringList, arguments);
  QFETCH(QString, fragment);
  QFETCH(int, code);
  const Outcome outcome = run_convoy(QStringList{"sweep", file("small.json")} + arguments, path());
  QVERIFY2(outcome.code == code, qPrintable(outcome.err));
  QVERIFY2(outcome.err.contains(fragment), qPrintable(outcome.err));
  QCOMPARE(outcome.out, QString());
  QVERIFY(!QFileInfo::exists(file("refused")));  // nothing was run
}

void SweepTest::leaves_an_earlier_sweep_alone() {
  QVERIFY(QDir(path()).mkpath("earlier"));
  save("earlier/sweep.csv", "folder\r\n");
  const Outcome outcome = sweep({"--vary", "devices=1", "--out", file("earlier")});
  QCOMPARE(outcome.code, 2);
  QVERIFY2(outcome.err.contains("earlier sweep"), qPrintable(outcome.err));
  QCOMPARE(QDir(file("earlier")).entryList(QDir::AllEntries | QDir::NoDotAndDotDot),
           QStringList{"sweep.csv"});
  QCOMPARE(QFileInfo(file("earlier/sweep.csv")).size(), 8);
  const Outcome in_the_way = sweep({"--vary", "devices=1", "--out", file("small.json")});
  QCOMPARE(in_the_way.code, 5);
}

// The first file that is opened would get the number of standard output, and the table.
void SweepTest::writes_nothing_into_files_for_closed_streams() {
  QProcess process;
  process.setChildProcessModifier([] {
    ::close(STDOUT_FILENO);
    ::close(STDERR_FILENO);
  });
  process.start(CONVOY_PROGRAM, {"sweep", file("small.json"), "--vary", "seed=1,2", "--quiet",
                                 "--out", file("closed")});
  QVERIFY(process.waitForFinished(240'000));
  QCOMPARE(process.exitStatus(), QProcess::NormalExit);
  QCOMPARE(process.exitCode(), 5);  // the table is lost
  QCOMPARE(column(read_csv(file("closed/sweep.csv")), "folder"), (QStringList{"001", "002"}));
}

void SweepTest::ctrl_c_ends_the_sweep() {
  QProcess process;
  process.start(CONVOY_PROGRAM,
                {"sweep", file("small.json"), "--vary", "training.steps=2,1000000,3", "--out",
                 file("stopped"), "--quiet"});
  QVERIFY(process.waitForStarted());
  // Wait for the second run's first steps, however long that takes.
  const auto steps = [&] { return read_lines(file("stopped/002/steps.csv")).size() - 1; };
  while (steps() < 3) {
    QVERIFY2(process.state() == QProcess::Running, qPrintable(process.readAllStandardError()));
    process.waitForFinished(20);
  }
  // The first run's line is there while the second goes on.
  QCOMPARE(read_csv(file("stopped/sweep.csv")).size(), 1);
  QCOMPARE(::kill(static_cast<pid_t>(process.processId()), SIGINT), 0);
  QVERIFY(process.waitForFinished(120'000));
  QCOMPARE(process.exitStatus(), QProcess::NormalExit);
  QCOMPARE(process.exitCode(), 130);
  const QList<Row> rows = read_csv(file("stopped/sweep.csv"));
  QCOMPARE(column(rows, "outcome"), (QStringList{"done", "stopped"}));
  QCOMPARE(rows[1]["steps"].toLongLong(), static_cast<qlonglong>(steps()));
  QCOMPARE(read_csv(file("stopped/002/summary.csv")).value(0)["outcome"], QString("stopped"));
  QVERIFY(!QFileInfo::exists(file("stopped/003")));
  QVERIFY(QString(process.readAllStandardOutput()).contains("0 of 1"));
}

QTEST_GUILESS_MAIN(SweepTest)
#include "sweep_test.moc"
