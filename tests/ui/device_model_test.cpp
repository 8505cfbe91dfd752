// The table of devices: a sound item model whose edits are the document's.
#include <QAbstractItemModelTester>
#include <QtTest>

#include "ui/models/device_model.h"

using namespace convoy;
using namespace convoy::ui;

namespace {

Setup threeDevices() {
  Setup setup;
  setup.devices = {{{"cpu:0", "A", 1.0, {}}, true, 0.0},
                   {{"cpu:1", "B", 0.5, {}}, true, 0.0},
                   {{"opencl:77:0", {}, 1.0, {}}, false, 0.0}};
  return setup;
}

}  // namespace

class DeviceModelTest : public QObject {
  Q_OBJECT

 private:
  RunStarted calibrate() {
    RunStarted run;
    run.devices.resize(2);
    run.devices[0].name = "A";
    run.devices[0].info.id = "cpu:0";
    run.devices[1].name = "B";
    run.devices[1].info.id = "cpu:1";
    run.devices[1].speed = 0.5;
    RunCalibrated calibrated;
    calibrated.gflops = {64.2, 32.0};
    calibrated.share = {0.667, 0.333};
    m_model->setCalibration(run, calibrated);
    return run;
  }

 private slots:
  void init() {
    m_document = std::make_unique<ExperimentDocument>(DeviceCatalog::detect());
    m_document->edit("Devices", {}, [](Setup& setup) { setup.devices = threeDevices().devices; });
    m_model = std::make_unique<DeviceModel>(m_document.get());
    m_tester = std::make_unique<QAbstractItemModelTester>(
        m_model.get(), QAbstractItemModelTester::FailureReportingMode::Fatal);
  }
  void cleanup() {
    m_tester.reset();
    m_model.reset();
    m_document.reset();
  }

  // An OpenCL runtime that computes on the processor is not taken for a second processor.
  void openClIsCalledSo() {
    const auto& devices = m_document->catalog().devices();
    const auto runtime = std::find_if(devices.begin(), devices.end(), [](const DeviceInfo& info) {
      return info.id.starts_with("opencl");
    });
    QVERIFY2(runtime != devices.end(), "the tests need an OpenCL runtime: PoCL will do");
    m_document->edit("OpenCL", {}, [&](Setup& setup) {
      setup.devices = {{{"cpu:0", "A", 1.0, {}}, true, 0.0},
                       {{runtime->id, {}, 1.0, {}}, false, 0.0}};
    });
    QVERIFY(at(0, DeviceModel::Name).data(DeviceModel::DetailRole).toString().startsWith("CPU "));
    QVERIFY(
        at(1, DeviceModel::Name).data(DeviceModel::DetailRole).toString().startsWith("OpenCL "));
  }

  void theFirstTickedDeviceIsTheMaster() {
    QVERIFY(at(0, DeviceModel::Name).data(DeviceModel::MasterRole).toBool());
    QVERIFY(m_model->setData(at(0, DeviceModel::Name), Qt::Unchecked, Qt::CheckStateRole));
    QVERIFY(!at(0, DeviceModel::Name).data(DeviceModel::MasterRole).toBool());
    QVERIFY(at(1, DeviceModel::Name).data(DeviceModel::MasterRole).toBool());
    QCOMPARE(at(0, DeviceModel::Name).data(DeviceModel::PositionRole).toInt(), -1);
    m_document->undoStack()->undo();
    QVERIFY(at(0, DeviceModel::Name).data(DeviceModel::MasterRole).toBool());
  }

  void rowsMoveAndGo() {
    QCOMPARE(m_model->moveRowBy(1, -1), 0);
    QCOMPARE(at(0, DeviceModel::Name).data().toString(), QString("B"));
    QCOMPARE(m_model->moveRowBy(0, -1), 0);
    m_model->removeRowAt(0);
    QCOMPARE(m_model->rowCount(), 2);
    m_model->removeRowAt(7);
    QCOMPARE(m_model->rowCount(), 2);
    m_document->undoStack()->undo();
    QCOMPARE(m_model->rowCount(), 3);
  }

  void cellsAreEdited() {
    QVERIFY(m_model->setData(at(1, DeviceModel::Speed), 30));
    QCOMPARE(m_document->setup().devices[1].spec.speed, 0.3);
    QVERIFY(!m_model->setData(at(1, DeviceModel::Speed), 4));
    QVERIFY(!m_model->setData(at(1, DeviceModel::Speed), 101));
    QVERIFY(m_model->setData(at(1, DeviceModel::Link), "100 Mb/s"));
    QCOMPARE(m_document->setup().devices[1].spec.link->bandwidth_mbps, std::optional(100.0));
    const QSignalSpy refused(m_model.get(), &DeviceModel::refused);
    QVERIFY(!m_model->setData(at(1, DeviceModel::Link), "fast"));
    QCOMPARE(refused.count(), 1);
    QVERIFY(refused[0][0].toString().contains("fast"));
    QVERIFY(!m_model->setData(at(0, DeviceModel::Link), "100 Mb/s"));  // the master has none
    QVERIFY(!m_model->setData(at(1, DeviceModel::Share), 50.0));       // shares are calibrated
    m_document->edit("Shares", {}, [](Setup& setup) {
      setup.experiment.distribution.shares = ShareMode::kExplicit;
    });
    QVERIFY(m_model->setData(at(1, DeviceModel::Share), 50.0));
    QCOMPARE(m_document->setup().devices[1].fraction, 0.5);
    QVERIFY(m_model->setData(at(1, DeviceModel::Name), "Bertha"));
    QCOMPARE(m_document->experiment().devices[1].name, std::string("Bertha"));
  }

  void calibrationIsShownUntilTheDeviceChanges() {
    QCOMPARE(at(0, DeviceModel::Gflops).data().toString(), QString("–"));
    calibrate();
    QCOMPARE(at(0, DeviceModel::Gflops).data().toString(), QLocale().toString(64.2, 'f', 1));
    QCOMPARE(at(1, DeviceModel::Share).data().toString(), QLocale().toString(33.3, 'f', 1) + " %");
    QVERIFY(m_model->setData(at(1, DeviceModel::Speed), 20));
    QCOMPARE(at(1, DeviceModel::Gflops).data().toString(), QString("–"));
    QVERIFY(at(0, DeviceModel::Gflops).data().toString() != QString("–"));
  }

  void lostDevicesAreMarkedUntilTheyAreBack() {
    RunQuarantine lost;
    lost.name = "B";
    lost.device = 1;
    lost.during = "layer 2, forward";
    lost.reason = "did not answer";
    m_model->setLost(lost);
    const QModelIndex name = at(1, DeviceModel::Name);
    QVERIFY(name.data(DeviceModel::LostRole).toBool());
    QVERIFY(!at(0, DeviceModel::Name).data(DeviceModel::LostRole).toBool());
    QVERIFY(name.data(DeviceModel::DetailRole).toString().contains("did not answer"));
    QVERIFY(name.data(Qt::ToolTipRole).toString().contains("layer 2, forward"));
    m_model->setReadmitted({7, 1, "B"});
    QVERIFY(!name.data(DeviceModel::LostRole).toBool());
    m_model->setLost(lost);
    m_model->clearLost();  // the run has ended
    QVERIFY(!name.data(DeviceModel::LostRole).toBool());
  }

  void sharesFollowTheRun() {
    const RunStarted run = calibrate();
    RunShares shares;
    shares.share = {0.25, 0.75};
    m_model->setShares(run, shares);
    QCOMPARE(at(1, DeviceModel::Share).data().toString(), QLocale().toString(75.0, 'f', 1) + " %");
  }

  void missingDevicesAreMarked() {
    QVERIFY(at(2, DeviceModel::Name).data(DeviceModel::MissingRole).toBool());
    QVERIFY(!at(0, DeviceModel::Name).data(DeviceModel::MissingRole).toBool());
  }

  void everyCellHasAnAccessibleText() {
    for (int row = 0; row < m_model->rowCount(); ++row)
      for (int column = 0; column < DeviceModel::ColumnCount; ++column)
        QVERIFY(at(row, column).data(Qt::AccessibleTextRole).toString().contains(':'));
  }

 private:
  QModelIndex at(int row, int column) const { return m_model->index(row, column); }

  std::unique_ptr<ExperimentDocument> m_document;
  std::unique_ptr<DeviceModel> m_model;
  std::unique_ptr<QAbstractItemModelTester> m_tester;
};

QTEST_MAIN(DeviceModelTest)
#include "device_model_test.moc"
