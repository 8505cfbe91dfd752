// The experiments that come with the program: each can be run as it is, and says what of it is the
// paper's and what is assumed.
#include <QtTest>
#include <set>

#include "engine/training/experiment.h"

using namespace convoy;

namespace {

const QString kFolder = QStringLiteral(CONVOY_SOURCE_DIR "/resources/experiments");

}  // namespace

class PresetsTest : public QObject {
  Q_OBJECT

 private slots:
  void each_is_valid_data() {
    QTest::addColumn<QString>("file");
    int count = 0;
    QDirIterator files(kFolder, {"*.json"}, QDir::Files, QDirIterator::Subdirectories);
    for (; files.hasNext(); ++count) {
      const QString file = files.next();
      QTest::newRow(qPrintable(QDir(kFolder).relativeFilePath(file))) << file;
    }
    QCOMPARE(count, 25);
  }
  void each_is_valid() {
    QFETCH(QString, file);
    const Experiment preset = read_experiment(file.toStdString());
    validate(preset, file.toStdString());
    QVERIFY(!preset.name.empty());
    QVERIFY2(names_.insert(preset.name).second, preset.name.c_str());
    const QString name = QFileInfo(file).baseName();
    if (name == "default") return;
    const QStringList parts = name.split("-on-");
    QCOMPARE(QString::fromStdString(network_name(preset.network)),
             QString(parts[0]).replace('-', ':'));
    const QString note = QString::fromStdString(preset.note);
    QVERIFY(note.contains("From the paper:"));
    QVERIFY(note.contains("Assumed:"));
    if (parts.size() == 1) {
      QVERIFY(preset.devices.empty());  // the machine's own
      return;
    }
    QVERIFY(preset.clock == ClockMode::kVirtual);
    QCOMPARE(QString::number(preset.devices.size()), parts[1]);
    // Runs everywhere, and all are equal.
    for (const DeviceSpec& device : preset.devices) {
      QCOMPARE(device.id, std::string("cpu"));
      QCOMPARE(device.speed, preset.devices[0].speed);
      if (device.speed != 1.0) QVERIFY(note.contains(QString("%1 times").arg(device.speed)));
    }
    QVERIFY(preset.distribution.options == paper_options());
  }

 private:
  std::set<std::string> names_;
};

QTEST_GUILESS_MAIN(PresetsTest)
#include "presets_test.moc"
