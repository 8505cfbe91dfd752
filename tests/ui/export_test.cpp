// What leaves the window as files, and what is never lost by it.
#include <QDir>
#include <QMenu>
#include <atomic>
#include <chrono>
#include <thread>

#include "tests/ui/window_driver.h"
#include "ui/charts/chart_export.h"
#include "ui/message_bar.h"

using namespace convoy;
using namespace convoy::ui;

namespace {

void write(const QString& path, const QByteArray& bytes) {
  QFile file(path);
  QVERIFY(file.open(QIODevice::WriteOnly));
  file.write(bytes);
}

QByteArray contentOf(const QString& path) {
  QFile file(path);
  return file.open(QIODevice::ReadOnly) ? file.readAll() : QByteArray();
}

}  // namespace

class ExportTest : public QObject, private WindowDriver {
  Q_OBJECT

 private slots:
  void initTestCase() { useOwnSettings(); }
  void init() {
    MainWindow::Options options;
    options.restoreSession = false;
    // A run of two steps that leaves one file, which differs from run to run.
    options.engine = [this](const Experiment&, RunControl&, const auto& listeners,
                            const RunOptions& run) {
      RunStarted started;
      started.run = run.run_id;
      started.steps = 2;
      started.devices.push_back({"A", {}, 1.0, {}});
      std::filesystem::create_directories(*run.out);
      write(QString::fromStdString((*run.out / "steps.csv").string()),
            QByteArray::number(++m_runs));
      RunSummary summary;
      for (RunListener* listener : listeners) {
        listener->on_started(started);
        for (int number = 1; number <= 2; ++number) {
          RunStep step;
          step.step = number;
          step.step_ms = step.conv_ms = 10.0 * number;
          listener->on_step(step);
        }
      }
      while (m_hold) std::this_thread::sleep_for(std::chrono::milliseconds(1));
      for (RunListener* listener : listeners) listener->on_finished(summary);
      return summary;
    };
    m_runs = 0;
    m_window = std::make_unique<MainWindow>(machine(), options);
    m_window->show();
    QVERIFY(QTest::qWaitForWindowExposed(m_window.get()));
  }
  void cleanup() { m_window.reset(); }

  void theToolBarOffersItOnceThereIsSomething() {
    const auto* button = child<QToolButton>(*m_window, "exportButton");
    QVERIFY(button->isVisible());
    QVERIFY(!button->isEnabled());
    run();
    QVERIFY(button->isEnabled());
    QVERIFY(button->menu()->actions().contains(child<QAction>(*m_window, "exportRun")));
  }

  void aRunIsExportedWhileItGoesOn() {
    m_hold = true;
    QSignalSpy finished(m_window.get(), &MainWindow::runFinished);
    QVERIFY(m_window->startRun());
    const auto* button = child<QToolButton>(*m_window, "exportButton");
    QTRY_VERIFY_WITH_TIMEOUT(m_window->store()->stepCount() == 2, kSoon);
    for (const QAction* action : button->menu()->actions()) QVERIFY(action->isEnabled());
    QVERIFY(button->isEnabled());
    m_hold = false;
    QVERIFY(finished.wait(kLong));
  }

  void anotherRunsFilesAreReplacedOnlyByRequest() {
    const QTemporaryDir folder;
    const QString file = folder.filePath("steps.csv");
    run();
    m_window->exportRun(folder.path());
    QCOMPARE(contentOf(file), QByteArray("1"));
    QVERIFY(m_window->messageBar()->texts().value(0).contains("steps.csv"));
    run();
    m_window->exportRun(folder.path());
    QCOMPARE(contentOf(file), QByteArray("1"));
    clickAction("Replace");
    QCOMPARE(contentOf(file), QByteArray("2"));
    QVERIFY(!m_window->messageBar()->texts().join(' ').contains("already"));
  }

  void chartsAreThoseOfThePage() {
    const QTemporaryDir folder;
    run();
    m_window->exportCharts(folder.path(), ExportFormat::Csv);
    const QStringList live = QDir(folder.path()).entryList(QDir::Files);
    QVERIFY(live.contains("step-time.csv"));
    QCOMPARE(live.size(), 4);
    // Nothing is predicted: there is nothing to save.
    m_window->showPage(MainWindow::Page::Predict);
    const auto* button = child<QToolButton>(*m_window, "exportButton");
    for (const QAction* action : button->menu()->actions())
      if (action->menu()) QVERIFY(!action->isEnabled());
    m_window->showPage(MainWindow::Page::Live);
    for (const QAction* action : button->menu()->actions()) QVERIFY(action->isEnabled());
  }

  // Its chart may be gone when somebody answers.
  void aLateAnswerIsSafe() {
    const QTemporaryDir folder;
    run();
    m_window->exportCharts(folder.path(), ExportFormat::Csv);
    const QByteArray before = contentOf(folder.filePath("step-time.csv"));
    write(folder.filePath("step-time.csv"), "something else");
    m_window->exportCharts(folder.path(), ExportFormat::Csv);
    m_window->showPage(MainWindow::Page::Predict);
    clickAction("Replace");
    QCOMPARE(contentOf(folder.filePath("step-time.csv")), before);
  }

  void aFolderThatCannotBeWrittenIsSaid() {
    run();
    m_window->exportRun("/proc/no/such/place");
    QVERIFY(m_window->messageBar()->texts().value(0).contains("/proc/no/such/place"));
    m_window->exportCharts("/proc/no/such/place", ExportFormat::Png);
    QVERIFY(m_window->messageBar()->texts().value(0).contains("could not be saved"));
  }

 private:
  void run() {
    QSignalSpy finished(m_window.get(), &MainWindow::runFinished);
    QVERIFY(m_window->startRun());
    QVERIFY(finished.wait(kLong));
  }
  void clickAction(const QString& text) {
    const auto find = [&]() -> QToolButton* {
      for (auto* button : m_window->findChildren<QToolButton*>("messageAction"))
        if (button->isVisible() && button->text() == text) return button;
      return nullptr;
    };
    QTRY_VERIFY2_WITH_TIMEOUT(find(), qPrintable(text), kSoon);
    QTest::mouseClick(find(), Qt::LeftButton);
  }

  int m_runs = 0;
  std::atomic<bool> m_hold{false};
};

QTEST_MAIN(ExportTest)
#include "export_test.moc"
