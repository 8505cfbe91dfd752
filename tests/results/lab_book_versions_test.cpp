// Lab books of earlier versions are brought up to date; what is no lab book is left alone.
#include <QTemporaryDir>
#include <QtTest>

#include "engine/base/atomic_file.h"
#include "engine/results/lab_book.h"
#include "engine/results/lab_book_reader.h"

using namespace convoy;
namespace fs = std::filesystem;

namespace {

// As version 1 was written; this text never changes.
constexpr const char* kVersionOne = R"(
CREATE TABLE runs (
  run TEXT PRIMARY KEY,
  started_utc TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP,
  name TEXT NOT NULL, dataset TEXT NOT NULL, network TEXT NOT NULL, batch_size INTEGER NOT NULL,
  devices INTEGER NOT NULL, bandwidth_mbps REAL, split TEXT NOT NULL,
  planned_steps INTEGER NOT NULL, experiment_json TEXT NOT NULL,
  outcome TEXT, failure TEXT, steps INTEGER,
  step_ms REAL, step_ms_p10 REAL, step_ms_p90 REAL, conv_ms REAL, comm_ms REAL, comp_ms REAL,
  conv_share REAL, baseline TEXT, baseline_step_ms REAL, speedup REAL, efficiency REAL,
  amdahl_limit REAL, predicted_step_ms REAL, images_per_s REAL, loss REAL, test_accuracy REAL,
  version TEXT, note TEXT NOT NULL DEFAULT '');
CREATE TABLE run_devices (
  run TEXT NOT NULL REFERENCES runs ON DELETE CASCADE, device INTEGER NOT NULL,
  name TEXT NOT NULL, id TEXT NOT NULL, description TEXT NOT NULL, kind TEXT NOT NULL,
  speed REAL NOT NULL, bandwidth_mbps REAL, latency_ms REAL, share REAL, gflops REAL,
  PRIMARY KEY (run, device)) WITHOUT ROWID;
CREATE TABLE steps (
  run TEXT NOT NULL REFERENCES runs ON DELETE CASCADE, step INTEGER NOT NULL,
  epoch INTEGER NOT NULL, step_ms REAL NOT NULL, conv_ms REAL NOT NULL, comm_ms REAL NOT NULL,
  comp_ms REAL NOT NULL, loss REAL, train_accuracy REAL, warm_up INTEGER NOT NULL,
  PRIMARY KEY (run, step)) WITHOUT ROWID;
CREATE TABLE device_steps (
  run TEXT NOT NULL REFERENCES runs ON DELETE CASCADE, step INTEGER NOT NULL,
  device INTEGER NOT NULL, layer INTEGER NOT NULL, pass TEXT NOT NULL, kernels INTEGER NOT NULL,
  conv_ms REAL NOT NULL, send_ms REAL NOT NULL, receive_ms REAL NOT NULL, wait_ms REAL NOT NULL,
  bytes_sent INTEGER NOT NULL, bytes_received INTEGER NOT NULL,
  PRIMARY KEY (run, step, device, layer, pass)) WITHOUT ROWID;
PRAGMA user_version = 1;
INSERT INTO runs (run, name, dataset, network, batch_size, devices, bandwidth_mbps, split,
  planned_steps, experiment_json, outcome, steps, step_ms, note) VALUES
  ('old', 'a run', 'mnist', '4', 8, 1, 100, 'kernels', 2, '{}', 'done', 2, 3.25, 'mine');
INSERT INTO run_devices VALUES ('old', 0, 'A', 'cpu', 'a CPU', 'cpu', 1, NULL, NULL, 1, 30);
INSERT INTO steps VALUES ('old', 1, 1, 3.5, 2, 1, 0.5, 0.7, 0.5, 1),
                         ('old', 2, 1, 3.25, 2, 1, 0.25, NULL, 0.5, 0);
INSERT INTO device_steps VALUES ('old', 1, 0, 1, 'forward', 4, 2, 0, 0.5, 0.25, 0, 4096);
)";

}  // namespace

class LabBookVersionsTest : public QObject {
  Q_OBJECT

 private:
  std::unique_ptr<QTemporaryDir> temporary_;
  fs::path path(const std::string& name) const {
    return fs::path(temporary_->path().toStdString()) / name;
  }
  std::string content(const std::string& name) const {
    return read_whole_file(path(name), ErrorKind::kRun);
  }
  void make(const std::string& name, const std::string& sql) const {
    Database(path(name), Database::Open::kOrCreate, ErrorKind::kRun).execute(sql);
  }
  // What opening it says, for recording and for reading; the file must not change.
  QString refusals(const std::string& name) const;

 private slots:
  void init() { temporary_ = std::make_unique<QTemporaryDir>(); }
  void brings_version_one_up_to_date();
  void records_into_an_old_one();
  void a_failing_migration_changes_nothing();
  void what_is_current_can_be_read_without_writing();
  void refuses_what_is_no_lab_book_data();
  void refuses_what_is_no_lab_book();
  void refuses_a_damaged_one();
};

QString LabBookVersionsTest::refusals(const std::string& name) const {
  const std::string before = content(name);
  QStringList messages;
  const auto open = [&](ErrorKind kind, const auto& opening) {
    try {
      opening();
      messages.append("opened");
    } catch (const Error& error) {
      messages.append(error.kind() == kind ? error.what() : "of another kind");
    }
  };
  open(ErrorKind::kRun, [&] { LabBook book(path(name)); });
  open(ErrorKind::kData, [&] { LabBookReader book(path(name)); });
  if (content(name) != before) messages.append("the file has changed");
  messages.removeDuplicates();
  return messages.join(" | ");
}

void LabBookVersionsTest::brings_version_one_up_to_date() {
  make("book", kVersionOne);
  LabBookReader book(path("book"));
  Database database(path("book"), Database::Open::kExisting, ErrorKind::kRun);
  QCOMPARE(database.number("PRAGMA user_version"), 2);
  QCOMPARE(database.number("SELECT count(*) FROM runs WHERE note = 'mine'"), 1);

  const auto run = book.run("old");
  QVERIFY(run.has_value());
  QCOMPARE(run->summary.name, std::string("a run"));
  QCOMPARE(run->summary.step_ms, std::optional(3.25));
  QVERIFY(!run->summary.gradient_difference);
  QVERIFY(run->outcome == RunOutcome::kDone);
  std::vector<RunStep> steps;
  book.for_each_step("old", [&](const RunStep& step) { steps.push_back(step); });
  QCOMPARE(steps.size(), 2U);
  QCOMPARE(steps[0].loss, 0.7);
  QVERIFY(std::isnan(steps[1].loss));
  QVERIFY(steps[0].warm_up && !steps[1].warm_up);
  QCOMPARE(steps[1].bandwidth_mbps, std::optional(100.0));  // the run's
  std::vector<DeviceRow> rows;
  book.for_each_device_row("old", [&](const DeviceRow& row) { rows.push_back(row); });
  QCOMPARE(rows.size(), 1U);
  QCOMPARE(rows[0].work.bytes_received, 4096U);
  QCOMPARE(rows[0].kernels, 4);
  QCOMPARE(rows[0].algorithm, std::string());
  QVERIFY(!rows[0].pictures);
}

void LabBookVersionsTest::records_into_an_old_one() {
  make("book", kVersionOne);
  RunStarted started;
  started.run = "new";
  { LabBook(path("book")).on_started(started); }
  LabBookReader book(path("book"));
  auto ids = book.run_ids();
  std::sort(ids.begin(), ids.end());
  QCOMPARE(ids, (std::vector<std::string>{"new", "old"}));
  // A new file has the very tables that an old one gets.
  { LabBook other(path("other")); }
  const auto columns = [&](const std::string& name) {
    Database database(path(name), Database::Open::kExisting, ErrorKind::kRun);
    Statement query(database,
                    "SELECT t.name || '.' || c.name || ' ' || c.type || ' ' || c.cid FROM "
                    "sqlite_schema AS t, pragma_table_info(t.name) AS c WHERE t.type = 'table' "
                    "ORDER BY 1");
    QStringList list;
    while (query.next()) list.append(QString::fromStdString(query.text(0)));
    return list;
  };
  QVERIFY(columns("book").contains("device_steps.pictures INTEGER 13"));
  QCOMPARE(columns("book"), columns("other"));
}

void LabBookVersionsTest::a_failing_migration_changes_nothing() {
  // The last column that version 2 adds is in the way of itself.
  make("book", std::string(kVersionOne) + "ALTER TABLE device_steps ADD COLUMN pictures TEXT;");
  QVERIFY2(refusals("book").contains("duplicate column name: pictures"),
           qPrintable(refusals("book")));
  QVERIFY(!refusals("book").contains("changed"));
  Database database(path("book"), Database::Open::kExisting, ErrorKind::kRun);
  QCOMPARE(database.number("PRAGMA user_version"), 1);
  QVERIFY(!database.understands("SELECT gradient_difference FROM runs"));
}

void LabBookVersionsTest::what_is_current_can_be_read_without_writing() {
  make("book", kVersionOne);
  { LabBookReader book(path("book")); }
  // Another program is recording: it holds the lock for writing.
  Database other(path("book"), Database::Open::kExisting, ErrorKind::kRun);
  Transaction writing(other);
  LabBookReader book(path("book"));
  QCOMPARE(book.run_ids(), std::vector<std::string>{"old"});
}

void LabBookVersionsTest::refuses_what_is_no_lab_book_data() {
  QTest::addColumn<QString>("sql");
  QTest::addColumn<QString>("fragment");
  QTest::newRow("other tables") << "CREATE TABLE other (x)"
                                << "another program's database";
  QTest::newRow("other tables of version 1")
      << "CREATE TABLE runs (run, name); PRAGMA user_version = 1"
      << "another program's database";
  QTest::newRow("other tables of version 2")
      << "CREATE TABLE runs (run, name); PRAGMA user_version = 2"
      << "another program's database";
  QTest::newRow("of a newer version")
      << QString(kVersionOne) + "PRAGMA user_version = 3"
      << "the lab book has version 3; this program knows versions up to 2";
  QTest::newRow("of a version below all") << QString(kVersionOne) + "PRAGMA user_version = -1"
                                          << "another program's database";
  QTest::newRow("version 1 that calls itself 2") << QString(kVersionOne) + "PRAGMA user_version = 2"
                                                 << "another program's database";
}

void LabBookVersionsTest::refuses_what_is_no_lab_book() {
  QFETCH(QString, sql);
  QFETCH(QString, fragment);
  make("file", sql.toStdString());
  const QString message = refusals("file");
  QVERIFY2(message.contains(fragment) && !message.contains("|"), qPrintable(message));
  QVERIFY2(message.startsWith(QString::fromStdString(path("file").string()) + ": "),
           qPrintable(message));
}

void LabBookVersionsTest::refuses_a_damaged_one() {
  make("book", kVersionOne);
  const std::string whole = content("book");
  write_file_atomically(path("cut"), whole.substr(0, whole.size() / 2));
  QVERIFY2(refusals("cut").contains("damaged") && !refusals("cut").contains("|"),
           qPrintable(refusals("cut")));
  // Rubbish where bringing it up to date would not even look.
  const std::int64_t page =
      Database(path("book"), Database::Open::kExisting, ErrorKind::kRun)
          .number("SELECT rootpage FROM sqlite_schema WHERE name = 'device_steps'");
  std::string spoilt = whole;
  spoilt.replace(static_cast<std::size_t>(page - 1) * 4096, 200, 200, '\x5a');
  write_file_atomically(path("spoilt"), spoilt);
  QVERIFY2(refusals("spoilt").contains("damaged") && !refusals("spoilt").contains("|"),
           qPrintable(refusals("spoilt")));
  write_file_atomically(path("text"),
                        "These are notes of mine, and not a lab book at all..........");
  QVERIFY2(refusals("text").contains("not a database"), qPrintable(refusals("text")));
  // Nothing is made where there is nothing to read.
  QVERIFY_EXCEPTION_THROWN(LabBookReader(path("none")), Error);
  QVERIFY(!fs::exists(path("none")));
  write_file_atomically(path("empty"), "");
  QVERIFY_EXCEPTION_THROWN(LabBookReader(path("empty")), Error);
}

QTEST_GUILESS_MAIN(LabBookVersionsTest)
#include "lab_book_versions_test.moc"
