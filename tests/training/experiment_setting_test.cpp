// path=value: what it changes in an experiment's text, and what it refuses.
#include <QtTest>
#include <nlohmann/json.hpp>

#include "engine/base/error.h"
#include "engine/training/experiment.h"

using namespace convoy;
using nlohmann::json;

class ExperimentSettingTest : public QObject {
  Q_OBJECT

 private slots:
  void settings_data();
  void settings();
  void refuses_settings_data();
  void refuses_settings();
};

void ExperimentSettingTest::settings_data() {
  QTest::addColumn<QString>("setting");
  QTest::addColumn<QString>("path");
  QTest::addColumn<QString>("value");
  QTest::newRow("number") << "training.batch_size=32"
                          << "/training/batch_size"
                          << "32";
  QTest::newRow("text") << "dataset.kind=mnist"
                        << "/dataset/kind"
                        << "\"mnist\"";
  QTest::newRow("quoted") << "name=\"5\""
                          << "/name"
                          << "\"5\"";
  QTest::newRow("with equals") << "name=a=b"
                               << "/name"
                               << "\"a=b\"";
  QTest::newRow("list") << "network.kernels=[50,500]"
                        << "/network/kernels"
                        << "[50,500]";
  QTest::newRow("entry") << "network.kernels.1=7"
                         << "/network/kernels/1"
                         << "7";
  QTest::newRow("device") << "devices.1.speed=0.25"
                          << "/devices/1/speed"
                          << "0.25";
  QTest::newRow("made") << "link.bandwidth_mbps=10"
                        << "/link/bandwidth_mbps"
                        << "10";
  QTest::newRow("deep") << "devices.0.link.latency_ms=1"
                        << "/devices/0/link/latency_ms"
                        << "1";
  QTest::newRow("appended") << "devices.2={\"id\": \"cpu:2\"}"
                            << "/devices/2/id"
                            << "\"cpu:2\"";
  QTest::newRow("null") << "training.steps=null"
                        << "/training/steps"
                        << "null";
}

void ExperimentSettingTest::settings() {
  QFETCH(QString, setting);
  QFETCH(QString, path);
  QFETCH(QString, value);
  const std::string text = R"({"network": {"kernels": [1, 2]}, "training": {"steps": 3},
                               "devices": [{"id": "cpu:0"}, {"id": "cpu:1"}]})";
  const json changed = json::parse(with_setting(text, setting.toStdString()));
  QCOMPARE(changed.at(json::json_pointer(path.toStdString())), json::parse(value.toStdString()));
  // Nothing else has changed.
  json restored = changed, original = json::parse(text);
  for (const char* key : {"network", "training", "devices"})
    if (!path.startsWith(QString("/") + key)) QCOMPARE(restored[key], original[key]);
}

void ExperimentSettingTest::refuses_settings_data() {
  QTest::addColumn<QString>("setting");
  QTest::addColumn<QString>("fragment");
  QTest::newRow("no equals") << "training.batch_size"
                             << "no \"=\"";
  QTest::newRow("empty path") << "=3"
                              << "a name is missing";
  QTest::newRow("empty step") << "training..steps=3"
                              << "a name is missing";
  QTest::newRow("dot at the end") << "training.=3"
                                  << "a name is missing";
  QTest::newRow("index") << "devices.7.speed=1"
                         << "the list has 2 entries";
  QTest::newRow("no index") << "devices.B.speed=1"
                            << "not an index";
  QTest::newRow("into a number") << "seed.x=1"
                                 << "inside of 1";
  QTest::newRow("index of nothing") << "network.0=1"
                                    << "no list";
}

void ExperimentSettingTest::refuses_settings() {
  QFETCH(QString, setting);
  QFETCH(QString, fragment);
  QString message;
  try {
    with_setting(R"({"seed": 1, "devices": [{"id": "cpu:0"}, {"id": "cpu:1"}]})",
                 setting.toStdString());
  } catch (const Error& error) {
    message = error.what();
  }
  QVERIFY2(message.contains(fragment), qPrintable(message));
  QVERIFY2(message.contains(setting), qPrintable(message));
}

QTEST_GUILESS_MAIN(ExperimentSettingTest)
#include "experiment_setting_test.moc"
