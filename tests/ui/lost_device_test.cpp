// Devices that a run loses: what the window says, what it offers, and when that ends.
#include <QTableView>
#include <atomic>
#include <chrono>
#include <thread>

#include "tests/ui/window_driver.h"
#include "ui/message_bar.h"
#include "ui/models/device_model.h"

using namespace convoy;
using namespace convoy::ui;

namespace {

using Listeners = std::vector<RunListener*>;

void lose(const Listeners& listeners, int step, int device, const std::string& name) {
  RunQuarantine lost;
  lost.step = step;
  lost.device = device;
  lost.name = name;
  lost.during = "layer 1, forward";
  lost.reason = "did not answer";
  for (RunListener* listener : listeners) listener->on_quarantine(lost);
}

void warn(const Listeners& listeners, const std::string& text) {
  for (RunListener* listener : listeners) listener->on_message(Severity::kWarning, text);
}

}  // namespace

class LostDeviceTest : public QObject, private WindowDriver {
  Q_OBJECT

 private slots:
  void initTestCase() { useOwnSettings(); }
  void cleanup() { m_window.reset(); }

  // Before the first step nobody speaks of shares, and no step is repeated.
  void lostInTheCalibration() {
    run([](const Listeners& listeners) {
      lose(listeners, 0, 1, "B");
      warn(listeners, "Device B failed and is quarantined.");
    });
    QTRY_COMPARE_WITH_TIMEOUT(offers(), QStringList("Let B in Again"), kSoon);
    QTRY_COMPARE_WITH_TIMEOUT(underTheTable(), QString("B is out since the calibration."), kSoon);
  }

  void oneMessageOfTwoDevices() {
    m_names = {"A", "B", "C"};
    run([](const Listeners& listeners) {
      lose(listeners, 3, 1, "B");
      lose(listeners, 3, 2, "C");
      warn(listeners, "B and C are out.");
    });
    QTRY_COMPARE_WITH_TIMEOUT(offers(), (QStringList{"Let B in Again", "Let C in Again"}), kSoon);
    click("Let B in Again");
    // B's way back leaves C its own.
    QTRY_COMPARE_WITH_TIMEOUT(offers(), QStringList("Let C in Again"), kSoon);
    QTRY_COMPARE_WITH_TIMEOUT(underTheTable(), QString("C is out since step 3."), kSoon);
  }

  void aClickIsAnsweredAtOnce() {
    m_answers = false;
    run([](const Listeners& listeners) {
      lose(listeners, 3, 1, "B");
      warn(listeners, "B is out.");
    });
    QTRY_COMPARE_WITH_TIMEOUT(offers().size(), 1, kSoon);
    click("Let B in Again");
    QVERIFY(m_window->messageBar()->texts().contains(
        "B is measured before the next step, then takes part again."));
    m_answers = true;
    QTRY_VERIFY_WITH_TIMEOUT(m_window->messageBar()->texts().isEmpty(), kSoon);
  }

  void afterTheRunNothingIsOffered() {
    run([](const Listeners& listeners) {
      lose(listeners, 3, 1, "B");
      warn(listeners, "B is out.");
    });
    const auto isMarkedOut = [this] {
      const auto* table = child<QTableView>(*m_window, "devices")->model();
      return table->index(1, 0).data(DeviceModel::LostRole).toBool();
    };
    QTRY_COMPARE_WITH_TIMEOUT(offers().size(), 1, kSoon);
    QVERIFY(isMarkedOut());
    QSignalSpy finished(m_window.get(), &MainWindow::runFinished);
    child<QAction>(*m_window, "stop")->trigger();
    QVERIFY(finished.wait(kLong));
    QCOMPARE(m_window->messageBar()->texts(), QStringList("B is out."));  // still to be read
    QCOMPARE(offers(), QStringList());
    QCOMPARE(underTheTable(), QString());
    QVERIFY(!isMarkedOut());  // the next run takes it
  }

  void aLongNameLeavesRoomForTheMessage() {
    const std::string name(120, 'x');
    run([name](const Listeners& listeners) {
      lose(listeners, 3, 1, name);
      warn(listeners, "It is out.");
    });
    QTRY_COMPARE_WITH_TIMEOUT(buttons().size(), 1, kSoon);
    QVERIFY(buttons().front()->width() < 300);
    QVERIFY(buttons().front()->toolTip().contains(QString::fromStdString(name)));
  }

 private:
  // A window whose run does this and then waits for requests, or for Stop.
  void run(const std::function<void(const Listeners&)>& script) {
    MainWindow::Options options;
    options.restoreSession = false;
    options.engine = [this, script](const Experiment&, RunControl& control,
                                    const Listeners& listeners, const RunOptions&) {
      RunStarted started;
      started.run = "run";
      started.steps = 10;
      for (const std::string& name : m_names) started.devices.push_back({name, {}, 1.0, {}});
      for (RunListener* listener : listeners) listener->on_started(started);
      script(listeners);
      while (!control.stop_token().stop_requested()) {
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
        if (!m_answers) continue;
        for (const std::string& name : control.take_readmissions())
          for (RunListener* listener : listeners)
            for (int i = 0; i < int(m_names.size()); ++i)
              if (m_names[size_t(i)] == name) listener->on_readmission({5, i, name});
      }
      RunSummary summary;
      summary.outcome = RunOutcome::kStopped;
      return summary;
    };
    m_window = std::make_unique<MainWindow>(machine(), options);
    m_window->document()->edit("Names", {}, [this](Setup& setup) {
      setup.experiment.clock = ClockMode::kVirtual;  // they may share a core
      setup.devices.clear();
      for (const std::string& name : m_names)
        setup.devices.push_back({{"cpu", name, 1.0, {}}, true, 0.0});
    });
    m_window->show();
    QVERIFY(QTest::qWaitForWindowExposed(m_window.get()));
    QVERIFY(m_window->startRun());
  }

  QList<QToolButton*> buttons() const {
    QList<QToolButton*> result;
    for (auto* button : m_window->findChildren<QToolButton*>("messageAction"))
      if (button->isVisible()) result.append(button);
    return result;
  }
  QStringList offers() const {
    QStringList result;
    for (const QToolButton* button : buttons()) result.append(button->accessibleName());
    return result;
  }
  void click(const QString& offer) {
    for (QToolButton* button : buttons())
      if (button->accessibleName() == offer) return QTest::mouseClick(button, Qt::LeftButton);
    QFAIL("no such button");
  }
  QString underTheTable() const {
    QStringList texts;
    for (const FieldNote* note :
         child<QTableView>(*m_window, "devices")->parentWidget()->findChildren<FieldNote*>())
      if (note->isVisible()) texts.append(note->text());
    return texts.join('\n');
  }

  std::vector<std::string> m_names{"A", "B"};
  std::atomic<bool> m_answers{true};
};

QTEST_MAIN(LostDeviceTest)
#include "lost_device_test.moc"
