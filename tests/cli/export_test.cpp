// `convoy export` as a process: what it writes beside what the run wrote, and what it refuses.
#include <QDir>

#include "tests/cli/program.h"

class ExportTest : public QObject, private TestFolder {
  Q_OBJECT

 private:
  QByteArray content(const QString& name) const {
    QFile target(file(name));
    return target.open(QIODevice::ReadOnly) ? target.readAll() : QByteArray("no such file");
  }
  QStringList entries(const QString& name) const {
    return QDir(file(name)).entryList(QDir::AllEntries | QDir::NoDotAndDotDot, QDir::Name);
  }
  // The first field of summary.csv's line.
  QString run_id(const QString& folder) const {
    return QString(content(folder + "/summary.csv").split('\n').value(1).split(',').value(0));
  }

 private slots:
  void initTestCase();
  void exports_one_run();
  void exports_the_whole_book();
  void refuses_data();
  void refuses();
};

// Two runs with all that differs between them: shares, links, batch and kernels divided.
void ExportTest::initTestCase() {
  QVERIFY(!cores().isEmpty());
  save("small.json",
       QString(R"({"name": "small, of two", "dataset": {"train_limit": 100, "test_limit": 8},
                   "network": {"kernels": [4, 6]}, "training": {"batch_size": 8, "steps": 3},
                   "devices": [{"id": "%1", "name": "A"}, {"id": "%1", "name": "B, too"}],
                   "clock": "virtual"})")
           .arg(QString("cpu:%1").arg(cores().first()))
           .toUtf8());
  const auto record = [&](const char* out, const QStringList& settings) {
    QStringList arguments = {"run",     file("small.json"), "--quiet",   "--out",
                             file(out), "--record",         file("book")};
    for (const QString& setting : settings) arguments << "--set" << setting;
    const Outcome outcome = run_convoy(arguments);
    QVERIFY2(outcome.code == 0, qPrintable(outcome.err));
  };
  record("one", {"link.bandwidth_mbps=100"});
  record("two", {"training.steps=60", "distribution.split=batch", "baseline=none"});
  save("text", "These are notes of mine, and not a lab book at all..........");
}

void ExportTest::exports_one_run() {
  for (const QString folder : {"one", "two"}) {
    const Outcome outcome = run_convoy(
        {"export", file("book"), "--run", run_id(folder), "--out", file("single/" + folder)});
    QVERIFY2(outcome.code == 0, qPrintable(outcome.err));
    QCOMPARE(outcome.err, QString());
    QVERIFY2(outcome.out.contains(run_id(folder)) && outcome.out.contains("small, of two"),
             qPrintable(outcome.out));
    const QStringList names = entries("single/" + folder);
    QCOMPARE(names.join(' '), QString("devices.csv experiment.json steps.csv summary.csv"));
    for (const QString& name : names)
      QCOMPARE(content("single/" + folder + "/" + name), content(folder + "/" + name));
  }
  QCOMPARE(content("single/two/steps.csv").count('\n'), 61);
}

void ExportTest::exports_the_whole_book() {
  const Outcome outcome = run_convoy({"export", file("book"), "--out", file("all")});
  QVERIFY2(outcome.code == 0, qPrintable(outcome.err));
  QStringList expected{run_id("one"), run_id("two"), "summary.csv"};
  expected.sort();  // runs of the same second differ by chance
  QCOMPARE(entries("all"), expected);
  for (const QString folder : {"one", "two"})
    for (const char* name : {"experiment.json", "steps.csv", "devices.csv", "summary.csv"})
      QCOMPARE(content("all/" + run_id(folder) + "/" + name), content(folder + "/" + name));
  // One heading, and each run's line.
  const QByteArray one = content("one/summary.csv"), two = content("two/summary.csv");
  QCOMPARE(content("all/summary.csv"), one + two.mid(two.indexOf('\n') + 1));

  const Outcome again = run_convoy({"export", file("book"), "--out", file("all")});
  QCOMPARE(again.code, 2);
  QVERIFY2(again.err.contains("all/summary.csv: is there already"), qPrintable(again.err));
}

void ExportTest::refuses_data() {
  QTest::addColumn<QStringList>("arguments");
  QTest::addColumn<int>("code");
  QTest::addColumn<QString>("fragment");
  QTest::newRow("no lab book") << QStringList{"--out", "refused"} << 2 << "LABBOOK.sqlite";
  QTest::newRow("no folder") << QStringList{"book"} << 2 << "--out";
  QTest::newRow("missing") << QStringList{"none", "--out", "refused"} << 4 << "none: cannot open";
  QTest::newRow("a text") << QStringList{"text", "--out", "refused"} << 4 << "not a database";
  QTest::newRow("a folder") << QStringList{".", "--out", "refused"} << 4 << "cannot open";
  QTest::newRow("unknown run") << QStringList{"book", "--run", "x", "--out", "refused"} << 2
                               << "--run x: is not in book; its newest runs are " + run_id("two") +
                                      ", " + run_id("one");
  QTest::newRow("no run's name") << QStringList{"book", "--run", "", "--out", "refused"} << 2
                                 << "--run";
  QTest::newRow("a run's own folder")
      << QStringList{"book", "--run", run_id("one"), "--out", "one"} << 2 << "is there already";
}

void ExportTest::refuses() {
  QFETCH(QStringList, arguments);
  QFETCH(int, code);
  QFETCH(QString, fragment);
  const Outcome outcome = run_convoy(QStringList{"export"} + arguments, path());
  QVERIFY2(outcome.code == code, qPrintable(outcome.err));
  QVERIFY2(outcome.err.contains(fragment), qPrintable(outcome.err));
  QCOMPARE(outcome.out, QString());
  QVERIFY(!QFileInfo::exists(file("refused")) && !QFileInfo::exists(file("none")));
}

QTEST_GUILESS_MAIN(ExportTest)
#include "export_test.moc"
