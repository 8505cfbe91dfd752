// The SQLite file that runs are recorded in.
#include "engine/results/lab_book.h"

#include <sqlite3.h>

#include <QTemporaryDir>
#include <QtTest>

#include "engine/base/atomic_file.h"
#include "engine/base/error.h"

using namespace convoy;

namespace {

RunStarted started(const std::string& run) {
  RunStarted s;
  s.run = run;
  s.name = "it's a name";
  s.dataset = "synthetic";
  s.network = "4";
  s.batch_size = 8;
  s.steps = 120;
  s.split = "kernels";
  s.devices.resize(2);
  s.devices[0].name = "A";
  s.devices[1].name = "B";
  s.devices[1].link = LinkSettings{100.0, 0.5, Duplex::kFull};
  s.layers.resize(1);
  s.experiment_json = "{}";
  return s;
}

RunCalibrated calibrated() {
  RunCalibrated c;
  c.kernels = {{3, 1}};
  c.pictures = {{8, 8}};
  c.share = {0.75, 0.25};
  c.gflops = {30, 10};
  return c;
}

RunStep step(int number) {
  RunStep s;
  s.step = number;
  s.epoch = 1;
  s.step_ms = 3.5;
  const TimePoint begin = SteadyClock::now();
  s.slices = {
      {0, 0, Pass::kForward, Activity::kCompute, begin, begin + std::chrono::milliseconds(2), 0},
      {1, 0, Pass::kForward, Activity::kSend, begin, begin + std::chrono::milliseconds(1), 64}};
  return s;
}

}  // namespace

class LabBookTest : public QObject {
  Q_OBJECT

 private:
  QTemporaryDir temporary_;
  std::string path(const char* name = "runs.sqlite") const {
    return temporary_.filePath(name).toStdString();
  }
  // The first column of the first row.
  QString query(const char* sql, const char* name = "runs.sqlite") const;

 private slots:
  void init() { QFile::remove(QString::fromStdString(path())); }
  void records_a_run();
  void keeps_the_steps_of_a_killed_run();
  void adds_to_what_is_there();
  void refuses_other_files();
};

QString LabBookTest::query(const char* sql, const char* name) const {
  sqlite3* database = nullptr;
  sqlite3_open(path(name).c_str(), &database);
  sqlite3_stmt* statement = nullptr;
  QString value = "(no row)";
  if (sqlite3_prepare_v2(database, sql, -1, &statement, nullptr) == SQLITE_OK &&
      sqlite3_step(statement) == SQLITE_ROW) {
    const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(statement, 0));
    value = text ? QString::fromUtf8(text) : "NULL";
  }
  sqlite3_finalize(statement);
  sqlite3_close(database);
  return value;
}

void LabBookTest::records_a_run() {
  LabBook book(path());
  book.on_started(started("r1"));
  book.on_calibrated(calibrated());
  for (int number = 1; number <= 7; ++number) book.on_step(step(number));
  RunSummary summary;
  summary.run = "r1";
  summary.steps = 7;
  summary.step_ms = 3.5;
  summary.outcome = RunOutcome::kStopped;
  book.on_finished(summary);
  QCOMPARE(query("SELECT name FROM runs"), QString("it's a name"));
  QCOMPARE(query("SELECT outcome FROM runs"), QString("stopped"));
  QCOMPARE(query("SELECT step_ms FROM runs"), QString("3.5"));
  QCOMPARE(query("SELECT speedup FROM runs"), QString("NULL"));
  QCOMPARE(query("SELECT share FROM run_devices WHERE name = 'B'"), QString("0.25"));
  QCOMPARE(query("SELECT bandwidth_mbps FROM run_devices WHERE device = 1"), QString("100.0"));
  QCOMPARE(query("SELECT bandwidth_mbps FROM run_devices WHERE device = 0"), QString("NULL"));
  QCOMPARE(query("SELECT count(*) FROM steps"), QString("7"));
  QCOMPARE(query("SELECT sum(bytes_sent) FROM device_steps"), QString("448"));
  QCOMPARE(query("SELECT kernels FROM device_steps WHERE device = 0"), QString("3"));
  QCOMPARE(query("SELECT conv_ms FROM device_steps WHERE device = 0"), QString("2.0"));
}

void LabBookTest::keeps_the_steps_of_a_killed_run() {
  {
    LabBook book(path());
    book.on_started(started("r1"));
    book.on_calibrated(calibrated());
    for (int number = 1; number <= 120; ++number) book.on_step(step(number));
  }  // on_finished() never came
  QVERIFY(query("SELECT count(*) FROM steps").toInt() >= 70);
  QCOMPARE(query("SELECT outcome FROM runs"), QString("NULL"));
}

void LabBookTest::adds_to_what_is_there() {
  for (const char* run : {"r1", "r2"}) {
    LabBook book(path());
    book.on_started(started(run));
  }
  QCOMPARE(query("SELECT count(*) FROM runs"), QString("2"));
  QCOMPARE(query("PRAGMA user_version"), QString("2"));
}

void LabBookTest::refuses_other_files() {
  const auto refusal = [&](const std::string& file) {
    try {
      LabBook book(file);
    } catch (const Error& error) {
      return error.kind() == ErrorKind::kRun ? QString(error.what()) : QString("another kind");
    }
    return QString();
  };
  write_file_atomically(path("text"), "this is not a database, whatever its name may say........");
  QVERIFY(refusal(path("text")).contains("not a database"));
  QVERIFY(refusal(path("no/such/folder")).contains("cannot open the lab book"));
  query("CREATE TABLE other (x)", "other");
  QVERIFY(refusal(path("other")).contains("another program's"));
  { LabBook book(path()); }
  query("PRAGMA user_version = 9");
  QVERIFY(refusal(path()).contains("version 9"));
}

QTEST_GUILESS_MAIN(LabBookTest)
#include "lab_book_test.moc"
