// convoy-workbench as a process: its options, its exit codes, the pictures it takes.
#include <QDir>
#include <QImage>
#include <QProcess>
#include <QTemporaryDir>
#include <QtTest>

namespace {

constexpr int kLong = 120'000;

struct Outcome {
  int code = -1;
  QString output, errors;
};

Outcome workbench(const QStringList& arguments, const QString& home,
                  const QString& platform = "offscreen") {
  QProcess process;
  QProcessEnvironment environment = QProcessEnvironment::systemEnvironment();
  environment.insert("QT_QPA_PLATFORM", platform);
  environment.insert("XDG_DATA_HOME", home + "/data");
  environment.insert("XDG_CONFIG_HOME", home + "/config");
  process.setProcessEnvironment(environment);
  process.start(CONVOY_WORKBENCH, arguments);
  if (!process.waitForFinished(kLong)) qFatal("convoy-workbench does not end");
  return {process.exitStatus() == QProcess::NormalExit ? process.exitCode() : -1,
          QString::fromUtf8(process.readAllStandardOutput()),
          QString::fromUtf8(process.readAllStandardError())};
}

void write(const QString& path, const QByteArray& content) {
  QFile file(path);
  QVERIFY(file.open(QIODevice::WriteOnly));
  file.write(content);
}

}  // namespace

class ProgramTest : public QObject {
  Q_OBJECT

 private slots:
  void helpAndVersion() {
    const Outcome help = workbench({"--help"}, m_home.path());
    QCOMPARE(help.code, 0);
    for (const char* option : {"--experiment", "--autostart", "--screenshots", "--theme", "--size"})
      QVERIFY2(help.output.contains(option), option);
    const Outcome version = workbench({"--version"}, m_home.path());
    QCOMPARE(version.code, 0);
    QVERIFY(version.output.contains(CONVOY_VERSION));
  }

  void helpNeedsNoDisplay() {
    const Outcome help = workbench({"--help"}, m_home.path(), "no-such-platform");
    QVERIFY2(help.code == 0, qPrintable(help.errors));
    QVERIFY(help.output.contains("--experiment"));
  }

  void wrongUseIsRefused_data() {
    QTest::addColumn<QStringList>("arguments");
    QTest::addColumn<QString>("named");
    QTest::newRow("theme") << QStringList{"--theme", "pink"} << "pink";
    QTest::newRow("size") << QStringList{"--size", "large"} << "large";
    QTest::newRow("two files") << QStringList{"a.json", "b.json"} << "more than one";
    QTest::newRow("missing file") << QStringList{"--experiment", "no-such.json", "--autostart"}
                                  << "no-such.json";
  }
  void wrongUseIsRefused() {
    QFETCH(QStringList, arguments);
    QFETCH(QString, named);
    const Outcome outcome = workbench(arguments, m_home.path());
    QCOMPARE(outcome.code, 2);
    QVERIFY2(outcome.errors.contains(named), qPrintable(outcome.errors));
  }

  void anExperimentThatCannotRunEndsWithItsCode() {
    const QString file = m_home.filePath("fault.json");
    write(file, R"({ "dataset": { "kind": "cifar10", "path": "/nowhere/at/all" } })");
    const Outcome outcome =
        workbench({"--experiment", file, "--autostart", "--screenshots", m_home.filePath("none")},
                  m_home.path());
    QCOMPARE(outcome.code, 2);
    QVERIFY2(outcome.errors.contains("/nowhere/at/all"), qPrintable(outcome.errors));
  }

  void picturesOfARealRun() {
    const QString file = m_home.filePath("tiny.json");
    write(file, R"({ "dataset": { "kind": "synthetic", "train_limit": 64, "test_limit": 16 },
                     "network": { "kernels": [3, 4] },
                     "training": { "batch_size": 8, "steps": 6 } })");
    const QDir pictures(m_home.filePath("pictures"));
    const Outcome outcome = workbench({"--experiment", file, "--autostart", "--screenshots",
                                       pictures.path(), "--size", "1280x800"},
                                      m_home.path());
    QVERIFY2(outcome.code == 0, qPrintable(outcome.errors));
    for (const char* name : {"workbench-idle-light.png", "workbench-idle-dark.png",
                             "workbench-light.png", "workbench-dark.png"}) {
      const QImage picture(pictures.filePath(name));
      QVERIFY2(picture.size() == QSize(1280, 800), name);
    }
    QVERIFY(QImage(pictures.filePath("workbench-light.png")).pixelColor(640, 790).lightness() >
            QImage(pictures.filePath("workbench-dark.png")).pixelColor(640, 790).lightness());
  }

 private:
  QTemporaryDir m_home;
};

QTEST_GUILESS_MAIN(ProgramTest)
#include "program_test.moc"
