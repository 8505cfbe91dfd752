// The section Method, the virtual clock and the presets, by their real controls.
#include <QAbstractItemView>
#include <QCheckBox>
#include <QComboBox>
#include <QLabel>
#include <QPlainTextEdit>
#include <QSpinBox>
#include <QTableView>

#include "tests/ui/window_driver.h"
#include "ui/models/device_model.h"
#include "ui/models/method.h"
#include "ui/presets_menu.h"
#include "ui/setup/section.h"

using namespace convoy;
using namespace convoy::ui;

class MethodTest : public QObject, private WindowDriver {
  Q_OBJECT

 private slots:
  void initTestCase() { useOwnSettings(); }
  void init() {
    openWindow();
    child<Section>(*m_window, "methodSection")->setExpanded(true);
    choose("method", 0);
  }
  void cleanup() { m_window.reset(); }

  void aNamedMethodSetsEveryOption() {
    QCOMPARE(options(), paper_options());
    choose("method", 1);
    QCOMPARE(options(), best_options());
    QVERIFY(options() != paper_options());
    undo();
    QCOMPARE(options(), paper_options());
    QCOMPARE(child<QComboBox>(*m_window, "method")->currentText(), methodName(Method::Paper));
  }

  void ownOpensTheOptions() {
    const auto* overlap = child<QCheckBox>(*m_window, "overlap");
    QVERIFY(!overlap->isVisible());
    choose("method", 2);
    QVERIFY(overlap->isVisible());
    QCOMPARE(options(), paper_options());  // asking for the options changes none
    choose("method", 0);
    QVERIFY(!overlap->isVisible());
  }

  void everyOptionIsOneEdit() {
    choose("method", 2);
    const std::pair<const char*, bool DistributionOptions::*> switches[] = {
        {"residentKernels", &DistributionOptions::resident_kernels},
        {"fusePooling", &DistributionOptions::fuse_pooling},
        {"overlap", &DistributionOptions::overlap},
        {"rebalance", &DistributionOptions::rebalance}};
    for (const auto& [name, option] : switches) {
      click(*m_window, name);
      DistributionOptions expected;
      expected.*option = true;
      QVERIFY2(options() == expected, name);
      QVERIFY(!child<QCheckBox>(*m_window, name)->accessibleName().isEmpty());
      undo();
      QVERIFY2(options() == paper_options(), name);
      choose("method", 2);  // what was undone to has a name, and closes them
    }
    choose("wire", 2);
    QVERIFY(options().wire == WireFormat::kBf16);
    choose("split", 1);
    QVERIFY(options().split == SplitMode::kBatch);
  }

  void changingAnOptionMakesTheMethodOnesOwn() {
    choose("method", 1);
    document()->edit("Overlap", {},
                     [](Setup& setup) { setup.experiment.distribution.options.overlap = false; });
    QCOMPARE(child<QComboBox>(*m_window, "method")->currentText(), methodName(Method::Own));
    QVERIFY(child<QCheckBox>(*m_window, "fusePooling")->isVisible());
    click(*m_window, "overlap");
    QCOMPARE(options(), best_options());
    QVERIFY(child<QCheckBox>(*m_window, "overlap")->isVisible());  // not away under the mouse
  }

  void theVirtualClockTakesManyDevicesOnTheSameCores() {
    const auto twoOnAll = [](Setup& setup) {
      setup.devices = {{{"cpu", "One", 1.0, {}}, true, 0.0}, {{"cpu", "Two", 1.0, {}}, true, 0.0}};
    };
    document()->edit("Devices", {}, twoOnAll);
    QVERIFY(!canRun(document()->problems()));
    QVERIFY(noteAt(*m_window, "/devices")->text().contains("virtual clock"));
    choose("clock", 1);
    QVERIFY(experiment().clock == ClockMode::kVirtual);
    QVERIFY(canRun(document()->problems()));
    QVERIFY(noteAt(*m_window, "/devices")->isHidden());
    undo();
    QVERIFY(experiment().clock == ClockMode::kWall);
  }

  void aSpeedAboveOneNeedsTheVirtualClock() {
    auto* model = child<QTableView>(*m_window, "devices")->model();
    const QModelIndex speed = model->index(0, DeviceModel::Speed);
    QVERIFY(!model->setData(speed, 400));
    choose("clock", 1);
    QVERIFY(model->setData(speed, 400));
    QCOMPARE(experiment().devices[0].speed, 4.0);
    QVERIFY(canRun(document()->problems()));
    choose("clock", 0);
    QVERIFY(!canRun(document()->problems()));
    QVERIFY(noteAt(*m_window, "/devices")->text().contains("400"));
  }

  void emulatedDevicesUntickNobodyOnTheVirtualClock() {
    const auto ticked = [this] { return experiment().devices.size(); };
    document()->edit("Devices", {}, [](Setup& setup) {
      setup.devices = {{{"cpu", "Mine", 1.0, {}}, true, 0.0}};
      setup.experiment.clock = ClockMode::kVirtual;
    });
    click(*m_window, "addEmulated");
    auto* speed = m_window->findChild<QSpinBox*>("emulatedSpeed");
    QVERIFY(speed);
    type(speed, "1000");
    QTest::keyClick(speed->window(), Qt::Key_Return);
    QTRY_COMPARE(ticked(), std::size_t(2));
    QCOMPARE(experiment().devices[1].id, std::string("cpu"));
    QCOMPARE(experiment().devices[1].speed, 10.0);
    QVERIFY(canRun(document()->problems()));
  }

  void presetsOpenFromTheMenu() {
    int opened = 0;
    for (const QAction* preset :
         child<PresetsMenu>(*m_window, "presets")->findChildren<QAction*>()) {
      if (preset->data().isNull()) continue;
      const_cast<QAction*>(preset)->trigger();
      QCOMPARE(QString::fromStdString(experiment().name), preset->text());
      const auto* note = child<QPlainTextEdit>(*m_window, "experimentNote");
      QCOMPARE(note->toPlainText(), QString::fromStdString(experiment().note));
      if (!note->toPlainText().isEmpty()) QCOMPARE(preset->toolTip(), note->toPlainText());
      QVERIFY2(canRun(document()->problems()), qPrintable(preset->text()));
      QVERIFY(document()->file().isEmpty());  // a beginning, not a file
      ++opened;
    }
    QCOMPARE(opened, 25);
  }

  void theNoteIsPartOfTheExperiment() {
    auto* note = child<QPlainTextEdit>(*m_window, "experimentNote");
    const int empty = note->height();
    QTest::keyClicks(note, "Measured on a quiet machine.");
    QCOMPARE(experiment().note, std::string("Measured on a quiet machine."));
    QTest::keyClick(note, Qt::Key_Return);
    QTest::keyClicks(note, "Assumed: nothing.");
    QTRY_VERIFY(note->height() > empty);
    undo();
    QCOMPARE(experiment().note, std::string());
    QCOMPARE(note->toPlainText(), QString());
  }

 private:
  const DistributionOptions& options() { return experiment().distribution.options; }
  void choose(const char* name, int index) {
    auto* box = child<QComboBox>(*m_window, name);
    box->showPopup();
    QTest::keyClick(box->view(), Qt::Key_Home);
    for (int i = 0; i < index; ++i) QTest::keyClick(box->view(), Qt::Key_Down);
    QTest::keyClick(box->view(), Qt::Key_Enter);
  }
};

QTEST_MAIN(MethodTest)
#include "method_test.moc"
