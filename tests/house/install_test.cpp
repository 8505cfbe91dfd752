// `cmake --install` puts a working program and all that belongs to it under a prefix.
#include <QDir>
#include <QFileInfo>
#include <QProcess>
#include <QTemporaryDir>
#include <QtTest>

class InstallTest : public QObject {
  Q_OBJECT

 private:
  QTemporaryDir prefix_;

 private slots:
  void initTestCase() {
    QVERIFY(prefix_.isValid());
    QProcess install;
    install.setProcessChannelMode(QProcess::MergedChannels);
    install.start(CONVOY_CMAKE_COMMAND,
                  {"--install", CONVOY_BINARY_DIR, "--prefix", prefix_.path()});
    QVERIFY2(install.waitForFinished(60000), qPrintable(install.errorString()));
    const QByteArray output = install.readAll();
    QVERIFY2(install.exitCode() == 0, output);
  }

  void files_are_there_data() {
    QTest::addColumn<QString>("path");
    for (const char* path : {"bin/convoy", "share/convoy/experiment.schema.json",
                             "share/convoy/experiments/default.json", "share/doc/convoy/LICENSE",
                             "share/doc/convoy/README.md", "share/doc/convoy/CHANGELOG.md"}) {
      QTest::newRow(path) << QString(path);
    }
#ifdef CONVOY_WITH_WORKBENCH
    for (const char* path : {"bin/convoy-workbench", "share/applications/org.convoy.Convoy.desktop",
                             "share/metainfo/org.convoy.Convoy.metainfo.xml",
                             "share/icons/hicolor/scalable/apps/org.convoy.Convoy.svg",
                             "share/icons/hicolor/128x128/apps/org.convoy.Convoy.png",
                             "share/icons/hicolor/256x256/apps/org.convoy.Convoy.png"}) {
      QTest::newRow(path) << QString(path);
    }
#endif
  }

  void files_are_there() {
    QFETCH(QString, path);
    const QFileInfo file(prefix_.filePath(path));
    QVERIFY2(file.isFile() && file.size() > 0, qPrintable(file.filePath()));
    if (path.startsWith("bin/")) QVERIFY(file.isExecutable());
  }

  void program_says_its_version() {
    QTemporaryDir elsewhere;
    QProcess convoy;
    convoy.setWorkingDirectory(elsewhere.path());
    convoy.start(prefix_.filePath("bin/convoy"), {"--version"});
    QVERIFY2(convoy.waitForFinished(30000), qPrintable(convoy.errorString()));
    QCOMPARE(convoy.exitCode(), 0);
    QVERIFY(convoy.readAllStandardOutput().contains(CONVOY_VERSION));
  }
};

QTEST_GUILESS_MAIN(InstallTest)
#include "install_test.moc"
