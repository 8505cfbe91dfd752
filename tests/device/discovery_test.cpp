// Listing the devices, and opening them by id.
#include "engine/device/discovery.h"

#include <QTest>

using namespace convoy;

class DiscoveryTest : public QObject {
  Q_OBJECT

 private slots:
  void the_cpu_is_listed_first_and_every_listed_device_opens() {
    std::vector<std::string> messages;
    const std::vector<DeviceInfo> devices = list_devices(&messages);
    QVERIFY(!devices.empty());
    QCOMPARE(devices.front().id, "cpu");
    QVERIFY(devices.front().cores == available_cores());
    for (const DeviceInfo& listed : devices) {
      const DeviceInfo opened = open_device(listed.id)->info();
      QCOMPARE(opened.id, listed.id);
      QCOMPARE(opened.name, listed.name);
      QVERIFY(opened.kind == listed.kind);
    }
  }

  void unknown_ids_are_refused_data() {
    QTest::addColumn<QString>("id");
    for (const char* id : {"", "CPU", "cpu0", "cpu ", "gpu:0", "cuda:0", "cpu:", "cpu:x", "cpu:1-0",
                           "cpu:0,0", "cpu:-1", "cpu:1023", "cpu:0-1023"})
      QTest::newRow(id) << id;
  }
  void unknown_ids_are_refused() {
    QFETCH(QString, id);
    QString what;
    try {
      open_device(id.toStdString());
    } catch (const Error& error) {
      QCOMPARE(error.kind(), ErrorKind::kDevice);
      what = error.what();
    }
    QVERIFY2(what.startsWith((id.isEmpty() ? "device" : id) + ": "), qPrintable(what));
    QVERIFY2(what.contains(QString::fromStdString(core_list_text(available_cores()))),
             qPrintable(what));
  }

  void kinds_have_names() {
    QCOMPARE(device_kind_name(DeviceKind::kCpu), "CPU");
    QCOMPARE(device_kind_name(DeviceKind::kGpu), "GPU");
    QCOMPARE(device_kind_name(DeviceKind::kAccelerator), "accelerator");
  }
};

QTEST_GUILESS_MAIN(DiscoveryTest)
#include "discovery_test.moc"
