// Runs from the window: the real engine on a tiny experiment, its files, its errors.
#include <QLineEdit>
#include <QSlider>
#include <QSpinBox>
#include <QTableView>
#include <atomic>
#include <chrono>
#include <functional>
#include <thread>
#include <utility>

#include "tests/ui/window_driver.h"
#include "ui/live/live_page.h"
#include "ui/message_bar.h"
#include "ui/setup/link_panel.h"
#include "ui/setup/setup_view.h"

using namespace convoy;
using namespace convoy::ui;

namespace {

// A window whose runs a test scripts.
MainWindow::Options scripted(EngineRunner::Engine engine) {
  MainWindow::Options options;
  options.restoreSession = false;
  options.engine = std::move(engine);
  return options;
}

// What an engine does at last: it looks again and again until somebody stops it.
RunSummary untilStopped(
    RunControl& control, const std::function<void()>& look = [] {}) {
  while (!control.stop_token().stop_requested()) {
    look();
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  RunSummary summary;
  summary.outcome = RunOutcome::kStopped;
  return summary;
}

}  // namespace

class WindowRunTest : public QObject, private WindowDriver {
  Q_OBJECT

 private slots:
  void initTestCase() { useOwnSettings(); }
  void init() { openWindow(); }
  void cleanup() { m_window.reset(); }

  void aRunLeavesItsFiles() {
    makeTiny(*m_window, 3);
    QSignalSpy finished(m_window.get(), &MainWindow::runFinished);
    click(*m_window, "runButton");
    QVERIFY(!runIsEnabled(*m_window));
    QVERIFY(!child<QSpinBox>(*m_window, "batchSize")->isEnabled());
    QVERIFY(child<QSlider>(*m_window, "bandwidthSlider")->isEnabled());
    QVERIFY(finished.wait(kLong));
    QVERIFY2(!m_window->runner()->failure(), qPrintable(failureText()));
    QCOMPARE(m_window->runner()->summary()->outcome, RunOutcome::kDone);
    QVERIFY(runIsEnabled(*m_window));
    QCOMPARE(m_window->store()->stepCount(), 3);
    const QDir folder(m_window->runFolder());
    QCOMPARE(lines(folder.filePath("steps.csv")).size(), 4);
    QVERIFY(lines(folder.filePath("devices.csv")).size() > 1);
    const QStringList summary = lines(folder.filePath("summary.csv"));
    QCOMPARE(summary.size(), 2);
    QVERIFY(summary[0].startsWith("run,"));
    QCOMPARE(folder.dirName(), summary[1].section(',', 0, 0));  // the folder is found by the run
    QVERIFY(folder.exists("experiment.json"));
    QVERIFY(child<QTableView>(*m_window, "devices")->model()->index(0, 4).data().toString() != "–");

    const QTemporaryDir target;
    m_window->exportRun(target.path());
    QCOMPARE(lines(target.filePath("steps.csv")), lines(folder.filePath("steps.csv")));
  }

  void stopKeepsWhatWasMeasured() {
    makeTiny(*m_window, 1'000'000);
    QSignalSpy finished(m_window.get(), &MainWindow::runFinished);
    QTest::keyClick(m_window.get(), Qt::Key_F5);
    QTRY_VERIFY_WITH_TIMEOUT(m_window->store()->stepCount() > 0, kSoon);
    click(*m_window, "stopButton");
    QVERIFY(finished.wait(kLong));
    QCOMPARE(m_window->runner()->summary()->outcome, RunOutcome::kStopped);
    QVERIFY(lines(QDir(m_window->runFolder()).filePath("steps.csv")).size() > 1);
    QVERIFY(runIsEnabled(*m_window));
  }

  // The field that somebody typed in last is disabled now: no other one gets what is typed next.
  void aRunTakesTheFocusFromItsSetUp() {
    makeTiny(*m_window, 1'000'000);
    m_window->activateWindow();
    auto* name = m_window->findChild<QLineEdit*>("experimentName");
    QVERIFY(name);
    name->setFocus();
    QTRY_VERIFY_WITH_TIMEOUT(name->hasFocus(), kSoon);
    QTest::keyClick(name, Qt::Key_F5);
    QVERIFY(!name->isEnabled());
    QVERIFY(!m_window->findChild<SetupView*>()->isAncestorOf(m_window->focusWidget()));
    QSignalSpy finished(m_window.get(), &MainWindow::runFinished);
    click(*m_window, "stopButton");
    QVERIFY(finished.wait(kLong));
  }

  void pauseHoldsTheRun() {
    makeTiny(*m_window, 1'000'000);
    click(*m_window, "runButton");
    QTRY_VERIFY_WITH_TIMEOUT(m_window->store()->stepCount() > 0, kSoon);
    click(*m_window, "pauseButton");
    QCOMPARE(m_window->runner()->state(), EngineRunner::State::Paused);
    QCOMPARE(m_window->findChild<LivePage*>()->statusText(), QString("Paused"));
    QSignalSpy finished(m_window.get(), &MainWindow::runFinished);
    click(*m_window, "stopButton");  // a paused run can be stopped
    QVERIFY(finished.wait(kLong));
  }

  void closingInTheMiddleOfARunIsSafe() {
    makeTiny(*m_window, 1'000'000);
    click(*m_window, "runButton");
    QTRY_VERIFY_WITH_TIMEOUT(m_window->store()->stepCount() > 0, kSoon);
    QVERIFY(m_window->close());
    const QString folder = m_window->runFolder();
    QVERIFY(!m_window->isVisible());
    QVERIFY(!m_window->runner()->isActive());
    m_window.reset();
    QVERIFY(lines(QDir(folder).filePath("steps.csv")).size() > 1);
    QVERIFY(
        lines(QDir(folder).filePath("summary.csv")).value(1).startsWith(QDir(folder).dirName()));
  }

  void theSliderReachesARunningEngine() {
    std::atomic<double> bandwidth{-1.0};
    const auto engine = [&](const auto&, RunControl& control, const auto&, const auto&) {
      control.attach(
          [&](const LinkSettings& link) { bandwidth = link.bandwidth_mbps.value_or(0.0); });
      return untilStopped(control);
    };
    MainWindow window(machine(), scripted(engine));
    window.show();
    QVERIFY(window.startRun());
    auto* slider = child<QSlider>(window, "bandwidthSlider");
    QTest::keyClick(slider, Qt::Key_Home);
    QTRY_COMPARE_WITH_TIMEOUT(bandwidth.load(), LinkPanel::kMinMbps, kSoon);
    QTest::keyClick(slider, Qt::Key_PageUp);
    QTRY_VERIFY_WITH_TIMEOUT(bandwidth.load() > LinkPanel::kMinMbps, kSoon);
    QVERIFY(window.close());
  }

  // A device is lost; the bar and the table both offer to let it in again, and the click arrives.
  void aLostDeviceIsLetInAgain_data() {
    QTest::addColumn<QString>("button");
    QTest::newRow("in the bar") << "messageAction";
    QTest::newRow("under the table") << "letInAgain";
  }
  void aLostDeviceIsLetInAgain() {
    QFETCH(QString, button);
    std::atomic<bool> asked{false};
    const auto engine = [&](const auto&, RunControl& control, const auto& listeners, const auto&) {
      RunStarted started;
      started.run = "run";
      for (const char* name : {"A", "B"}) started.devices.push_back({name, {}, 1.0, {}});
      RunQuarantine lost;
      lost.step = 3;
      lost.device = 1;
      lost.name = "B";
      lost.during = "layer 1, forward";
      lost.reason = "did not answer";
      RunShares shares;
      shares.step = 3;
      shares.change = ShareChange::kQuarantine;
      shares.reason = "B is out: it did not answer.";
      shares.kernels = {{4, 0}};
      shares.share = {1.0, 0.0};
      for (RunListener* listener : listeners) {
        listener->on_started(started);
        listener->on_quarantine(lost);
        listener->on_message(Severity::kWarning, shares.reason);
        listener->on_shares(shares);
      }
      return untilStopped(control, [&] {
        for (const std::string& name : control.take_readmissions()) {
          asked = name == "B";
          for (RunListener* listener : listeners) listener->on_readmission({5, 1, name});
        }
      });
    };
    MainWindow window(machine(), scripted(engine));
    window.show();
    QVERIFY(window.startRun());
    const auto find = [&] { return window.findChild<QToolButton*>(button); };
    QTRY_VERIFY_WITH_TIMEOUT(find() && find()->isVisible(), kSoon);
    QCOMPARE(window.messageBar()->texts(), QStringList("B is out: it did not answer."));
    QVERIFY(find()->isEnabled());
    QTest::mouseClick(find(), Qt::LeftButton);
    QTRY_VERIFY_WITH_TIMEOUT(asked.load(), kSoon);
    QTRY_VERIFY_WITH_TIMEOUT(window.messageBar()->texts().isEmpty(), kSoon);
    QTRY_VERIFY_WITH_TIMEOUT(!window.findChild<QToolButton*>("letInAgain"), kSoon);
    QVERIFY(window.close());
  }

  void engineErrorsAreShownInTheBarAndAtTheField() {
    const auto engine = [](const auto&, RunControl&, const auto&, const auto&) -> RunSummary {
      throw Error(ErrorKind::kExperiment, "/training/batch_size", "is out of luck");
    };
    MainWindow window(machine(), scripted(engine));
    window.show();
    QSignalSpy finished(&window, &MainWindow::runFinished);
    QVERIFY(window.startRun());
    QVERIFY(finished.wait(kLong));
    QVERIFY(window.messageBar()->texts().join(' ').contains("is out of luck"));
    FieldNote* note = noteAt(window, "/training/batch_size");
    QVERIFY(note && note->isVisible());
    QCOMPARE(note->text(), QString("Is out of luck"));
    QVERIFY(runIsEnabled(window));
  }

  void damagedDataIsToldAtTheDataFolder() {
    const QTemporaryDir folder;
    for (const char* name : {"data_batch_1.bin", "test_batch.bin"}) {
      QFile data(folder.filePath(name));
      QVERIFY(data.open(QIODevice::WriteOnly));
      data.write(QByteArray(5000, '\0'));  // no whole number of records
    }
    makeTiny(*m_window, 3);
    document()->edit("Data", {}, [&](Setup& setup) {
      setup.experiment.dataset.kind = DatasetKind::kCifar10;
      setup.experiment.dataset.path = folder.path().toStdString();
    });
    QSignalSpy finished(m_window.get(), &MainWindow::runFinished);
    click(*m_window, "runButton");
    QVERIFY(finished.wait(kLong));
    QCOMPARE(m_window->runner()->failure()->kind, ErrorKind::kData);
    FieldNote* note = noteAt(*m_window, "/dataset/path");
    QVERIFY(note && note->isVisibleTo(m_window.get()));
    QVERIFY2(note->text().contains("5000"), qPrintable(note->text()));
  }
};

QTEST_MAIN(WindowRunTest)
#include "window_run_test.moc"
