// The files of the project that no compiler reads: scripts, desktop entry, description, versions.
#include <QDir>
#include <QDirIterator>
#include <QFile>
#include <QFileInfo>
#include <QProcess>
#include <QRegularExpression>
#include <QtTest>

#include "tests/house/include_rules.h"

namespace {

QString in_source(const QString& path) {
  return QStringLiteral(CONVOY_SOURCE_DIR "/") + path;
}

QByteArray contents(const QString& path) {
  QFile file(in_source(path));
  return file.open(QIODevice::ReadOnly) ? file.readAll() : QByteArray();
}

struct Outcome {
  int exit_code = -1;
  QByteArray output;
};

Outcome call(const QString& program, const QStringList& arguments) {
  QProcess process;
  process.setProcessChannelMode(QProcess::MergedChannels);
  process.start(program, arguments);
  if (!process.waitForFinished(60000)) return {-1, process.errorString().toUtf8()};
  return {process.exitStatus() == QProcess::NormalExit ? process.exitCode() : -1,
          process.readAll()};
}

}  // namespace

class FilesTest : public QObject {
  Q_OBJECT

 private slots:
  void scripts_run_data() {
    QTest::addColumn<QString>("path");
    for (const char* name : {"setup", "build", "run", "test", "bench"}) {
      QTest::newRow(name) << QString("scripts/%1").arg(name);
    }
    QTest::newRow("ci") << QStringLiteral(".ci/run");
  }

  void scripts_run() {
    QFETCH(QString, path);
    QVERIFY2(QFileInfo(in_source(path)).isExecutable(), "no run bit");
    const QByteArray first_line = contents(path).split('\n').first();
    if (first_line == "#!/usr/bin/env bash") {
      const Outcome check = call("bash", {"-n", in_source(path)});
      QVERIFY2(check.exit_code == 0, check.output);
    } else {
      QCOMPARE(first_line, QByteArray("#!/usr/bin/env python3"));
    }
  }

  void scripts_refuse_what_they_do_not_know() {
    QCOMPARE(call(in_source("scripts/setup"), {"cellar"}).exit_code, 2);
    QCOMPARE(call(in_source("scripts/test"), {"--preset"}).exit_code, 2);
  }

  void scripts_explain_themselves() {
    for (const char* name : {"setup", "build", "run", "test"}) {
      const Outcome help = call(in_source(QString("scripts/%1").arg(name)), {"--help"});
      QCOMPARE(help.exit_code, 0);
      QVERIFY2(help.output.startsWith("Usage: scripts/"), help.output);
    }
  }

  void packages_have_known_groups() {
    static const QRegularExpression entry(
        "^(build|workbench|run|test|check) [a-z0-9][a-z0-9.+-]+$");
    int packages = 0;
    for (const QByteArray& line : contents("scripts/packages.txt").split('\n')) {
      if (line.isEmpty() || line.startsWith('#')) continue;
      QVERIFY2(entry.match(QString::fromUtf8(line)).hasMatch(), line);
      ++packages;
    }
    QVERIFY(packages > 10);
  }

  void desktop_entry_is_valid() {
    const Outcome check =
        call("desktop-file-validate", {in_source("resources/org.convoy.Convoy.desktop")});
    QVERIFY2(check.exit_code == 0, check.output);
  }

  void description_is_valid() {
    const Outcome check =
        call("appstreamcli",
             {"validate", "--no-net", in_source("resources/org.convoy.Convoy.metainfo.xml")});
    QVERIFY2(check.exit_code == 0, check.output);
  }

  void version_is_the_same_everywhere() {
    const QByteArray version = CONVOY_VERSION;
    QVERIFY(contents("CHANGELOG.md").contains("\n## " + version));
    QVERIFY(contents("resources/org.convoy.Convoy.metainfo.xml")
                .contains("<release version=\"" + version + "\""));
  }

  // One idea a file: a source that no longer fits a sitting is split.
  void files_are_short() {
    QStringList long_files;
    const QStringList folders{"app", "ui", "engine", "datasets", "tests"};
    for (const QString& path : house::source_files(CONVOY_SOURCE_DIR, folders)) {
      const auto lines = contents(path).count('\n');
      if (lines > 500) long_files << QString("%1: %2 lines").arg(path).arg(lines);
    }
    QVERIFY2(long_files.isEmpty(), qPrintable(long_files.join('\n')));
  }
};

QTEST_GUILESS_MAIN(FilesTest)
#include "files_test.moc"
