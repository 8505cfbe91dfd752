// The workbench by its real controls: mouse and keys in, runs of the real engine, files out.
#include <QAction>
#include <QComboBox>
#include <QDropEvent>
#include <QLabel>
#include <QLineEdit>
#include <QMimeData>
#include <QScrollArea>
#include <QSettings>
#include <QSignalSpy>
#include <QSlider>
#include <QSpinBox>
#include <QTableView>
#include <QTemporaryDir>
#include <QToolButton>
#include <QtTest>
#include <atomic>
#include <chrono>
#include <thread>

#include "ui/live/live_page.h"
#include "ui/main_window.h"
#include "ui/message_bar.h"
#include "ui/models/device_model.h"
#include "ui/setup/field_note.h"
#include "ui/setup/link_panel.h"

using namespace convoy;
using namespace convoy::ui;

namespace {

constexpr int kLong = 120'000;  // a wait for a run that only a hanging test uses up
constexpr int kSoon = 15'000;   // the same for what takes a tick or two

const DeviceCatalog& machine() {
  static const DeviceCatalog catalog = DeviceCatalog::detect();
  return catalog;
}

template <class Widget>
Widget* child(const MainWindow& window, const char* name) {
  auto* widget = window.findChild<Widget*>(QLatin1String(name));
  if (!widget) qFatal("There is no %s", name);
  return widget;
}

// As a person does it: the text is marked and typed over.
void type(QAbstractSpinBox* box, const QString& text) {
  box->selectAll();
  QTest::keyClicks(box, text);
  QTest::keyClick(box, Qt::Key_Enter);
}

void click(const MainWindow& window, const char* button) {
  auto* widget = child<QAbstractButton>(window, button);
  QVERIFY2(widget->isEnabled(), button);
  QTest::mouseClick(widget, Qt::LeftButton);
}

bool runIsEnabled(const MainWindow& window) {
  return child<QToolButton>(window, "runButton")->isEnabled();
}

// A real experiment of a second or less; CPU devices only, so that it is the same everywhere.
void makeTiny(MainWindow& window, int steps) {
  window.document()->edit("Tiny", {}, [&](Setup& setup) {
    setup.experiment.name = "tiny";
    setup.experiment.network.kernels = {3, 4};
    setup.experiment.training.batch_size = 8;
    setup.experiment.training.steps = steps;
    setup.experiment.training.epochs.reset();
    setup.experiment.dataset.train_limit = 64;
    setup.experiment.dataset.test_limit = 16;
    for (DeviceRow& row : setup.devices) row.ticked = row.ticked && row.spec.id.starts_with("cpu");
  });
}

QStringList lines(const QString& path) {
  QFile file(path);
  if (!file.open(QIODevice::ReadOnly)) return {};
  return QString::fromUtf8(file.readAll()).split('\n', Qt::SkipEmptyParts);
}

FieldNote* noteAt(const MainWindow& window, const QString& path) {
  for (FieldNote* note : window.findChildren<FieldNote*>())
    if (note->path() == path) return note;
  return nullptr;
}

}  // namespace

class WindowTest : public QObject {
  Q_OBJECT

 private slots:
  void initTestCase() {
    QVERIFY(m_home.isValid());
    qputenv("XDG_DATA_HOME", m_home.filePath("data").toLocal8Bit());
    QSettings::setDefaultFormat(QSettings::IniFormat);
    QSettings::setPath(QSettings::IniFormat, QSettings::UserScope, m_home.filePath("config"));
    QCoreApplication::setOrganizationName("convoy-test");
    QCoreApplication::setApplicationName("window-test");
    Theme::instance().apply(Scheme::Light);
  }
  void init() {
    QSettings().clear();
    m_window = std::make_unique<MainWindow>(machine());
    m_window->show();
    QVERIFY(QTest::qWaitForWindowExposed(m_window.get()));
  }
  void cleanup() { m_window.reset(); }

  void controlsChangeTheExperiment() {
    auto* preset = child<QComboBox>(*m_window, "networkPreset");
    preset->setFocus();
    QTest::keyClick(preset, Qt::Key_Home);
    QTest::keyClick(preset, Qt::Key_Down);
    QCOMPARE(experiment().network.kernels, (std::vector{32, 64}));
    type(child<QSpinBox>(*m_window, "kernels2"), "48");
    QCOMPARE(experiment().network.kernels, (std::vector{32, 48}));
    QCOMPARE(preset->currentText(), QString("Own choice"));
    click(*m_window, "addLayer");
    QCOMPARE(experiment().network.kernels, (std::vector{32, 48, 48}));
    type(child<QSpinBox>(*m_window, "batchSize"), "24");
    QCOMPARE(experiment().training.batch_size, 24);
    auto* unit = child<QComboBox>(*m_window, "trainingUnit");
    unit->setFocus();
    QTest::keyClick(unit, Qt::Key_Down);
    type(child<QSpinBox>(*m_window, "trainingLength"), "3");
    QCOMPARE(experiment().training.epochs, std::optional(3));
    QVERIFY(!experiment().training.steps);
    click(*m_window, "stop1000");
    QCOMPARE(experiment().link.bandwidth_mbps, std::optional(1000.0));
    QCOMPARE(child<QDoubleSpinBox>(*m_window, "bandwidth")->value(), 1000.0);
  }

  void aTickIsClicked() {
    auto* table = child<QTableView>(*m_window, "devices");
    const bool before = document()->setup().devices[0].ticked;
    QStyleOptionViewItem option;
    option.initFrom(table);
    const QRect cell = table->visualRect(table->model()->index(0, 0));
    QTest::mouseClick(table->viewport(), Qt::LeftButton, {},
                      QPoint(cell.left() + 10, cell.center().y()));
    QCOMPARE(document()->setup().devices[0].ticked, !before);
  }

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
    QVERIFY(m_window->exportRun(target.path()));
    QCOMPARE(lines(target.filePath("steps.csv")), lines(folder.filePath("steps.csv")));
    QVERIFY(m_window->exportRun(target.path()));  // over what is there
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
    MainWindow::Options options;
    options.restoreSession = false;
    options.engine = [&](const Experiment&, RunControl& control, const auto&, const auto&) {
      control.attach(
          [&](const LinkSettings& link) { bandwidth = link.bandwidth_mbps.value_or(0.0); });
      while (!control.stop_token().stop_requested())
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
      RunSummary summary;
      summary.outcome = RunOutcome::kStopped;
      return summary;
    };
    MainWindow window(machine(), options);
    window.show();
    QVERIFY(window.startRun());
    auto* slider = child<QSlider>(window, "bandwidthSlider");
    QTest::keyClick(slider, Qt::Key_Home);
    QTRY_COMPARE_WITH_TIMEOUT(bandwidth.load(), LinkPanel::kMinMbps, kSoon);
    QTest::keyClick(slider, Qt::Key_PageUp);
    QTRY_VERIFY_WITH_TIMEOUT(bandwidth.load() > LinkPanel::kMinMbps, kSoon);
    QVERIFY(window.close());
  }

  void whatCannotWorkIsSaidNextToTheField() {
    FieldNote* note = noteAt(*m_window, "/network/kernels");
    QVERIFY(note && note->isHidden());
    QVERIFY(runIsEnabled(*m_window));
    type(child<QSpinBox>(*m_window, "kernelSize"), "31");
    QVERIFY(note->isVisible());
    QVERIFY(!note->text().isEmpty());
    QVERIFY(!runIsEnabled(*m_window));
    QVERIFY(!m_window->startRun());
    const auto* page = m_window->findChild<LivePage*>();
    QCOMPARE(page->statusText(), QString("Not ready"));  // also for who does not see the field
    child<QAction>(*m_window, "undo")->trigger();
    QCOMPARE(page->statusText(), QString("Ready"));
    QVERIFY(note->isHidden());
    QVERIFY(runIsEnabled(*m_window));
  }

  void aLinkThatIsNoneIsSaidUnderTheTable() {
    auto* table = child<QTableView>(*m_window, "devices");
    const auto notes = [&] {
      QStringList texts;
      for (const FieldNote* note : table->parentWidget()->findChildren<FieldNote*>())
        if (note->isVisible()) texts.append(note->text());
      return texts.join(' ');
    };
    const auto enter = [&](const QString& text) {
      const QModelIndex cell = table->model()->index(1, DeviceModel::Link);
      table->setCurrentIndex(cell);
      table->edit(cell);
      auto* editor = table->findChild<QComboBox*>();
      QVERIFY(editor);
      editor->lineEdit()->setText(text);
      QTest::keyClick(editor, Qt::Key_Return);
    };
    enter("quick as light");
    QTRY_VERIFY_WITH_TIMEOUT(notes().contains("quick as light"), kSoon);
    enter("100 Mb/s");
    QTRY_VERIFY_WITH_TIMEOUT(!notes().contains("quick"), kSoon);
    QCOMPARE(document()->setup().devices[1].spec.link->bandwidth_mbps, std::optional(100.0));
  }

  void engineErrorsAreShownInTheBarAndAtTheField() {
    MainWindow::Options options;
    options.restoreSession = false;
    options.engine = [](const auto&, RunControl&, const auto&, const auto&) -> RunSummary {
      throw Error(ErrorKind::kExperiment, "/training/batch_size", "is out of luck");
    };
    MainWindow window(machine(), options);
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

  void openAndSaveRoundTrip() {
    const QTemporaryDir folder;
    const QString file = folder.filePath("a.json");
    type(child<QSpinBox>(*m_window, "batchSize"), "17");
    document()->save(file);
    MainWindow other(machine());
    QVERIFY(other.openFile(file));
    QCOMPARE(experiment_json(other.document()->experiment()), experiment_json(experiment()));
    QVERIFY(QSettings().value("recentFiles").toStringList().contains(file));

    QVERIFY(!other.openFile(folder.filePath("missing.json")));
    QVERIFY(other.messageBar()->texts().join(' ').contains("missing.json"));
    QCOMPARE(experiment_json(other.document()->experiment()), experiment_json(experiment()));
  }

  void undoFromTheMenu() {
    const int before = experiment().training.batch_size;
    type(child<QSpinBox>(*m_window, "batchSize"), "19");
    child<QAction>(*m_window, "undo")->trigger();
    QCOMPARE(experiment().training.batch_size, before);
    QCOMPARE(child<QSpinBox>(*m_window, "batchSize")->value(), before);
    child<QAction>(*m_window, "redo")->trigger();
    QCOMPARE(child<QSpinBox>(*m_window, "batchSize")->value(), 19);
  }

  void droppedFoldersAndFilesAreTaken() {
    const QTemporaryDir folder;
    QFile data(folder.filePath("data_batch_1.bin"));
    QVERIFY(data.open(QIODevice::WriteOnly));
    data.close();
    drop(folder.path());
    QCOMPARE(experiment().dataset.kind, DatasetKind::kCifar10);
    QCOMPARE(QString::fromStdString(experiment().dataset.path), folder.path());

    ExperimentDocument other(machine());
    other.edit("Seed", {}, [](Setup& setup) { setup.experiment.seed = 4711; });
    other.save(folder.filePath("dropped.json"));
    drop(folder.filePath("dropped.json"));
    QCOMPARE(experiment().seed, std::uint64_t(4711));
  }

  void theLastSessionComesBack() {
    type(child<QSpinBox>(*m_window, "batchSize"), "23");
    QVERIFY(m_window->close());
    const MainWindow next(machine());
    QCOMPARE(child<QSpinBox>(next, "batchSize")->value(), 23);
    QVERIFY(next.isWindowModified());
  }

  void everyControlHasAName() {
    for (const QWidget* widget : m_window->findChildren<QWidget*>()) {
      const bool control =
          qobject_cast<const QAbstractButton*>(widget) ||
          qobject_cast<const QAbstractSpinBox*>(widget) || qobject_cast<const QComboBox*>(widget) ||
          qobject_cast<const QSlider*>(widget) || qobject_cast<const QTableView*>(widget);
      if (!control || !widget->isVisibleTo(m_window.get())) continue;
      const auto* button = qobject_cast<const QAbstractButton*>(widget);
      const bool named =
          !widget->accessibleName().isEmpty() || (button && !button->text().isEmpty());
      const QString inside = widget->parentWidget()->metaObject()->className();
      // Qt's own parts: the dock's buttons, the header's corner.
      if (inside == "QDockWidget" || inside == "QTableView" || inside == "QMenuBar" ||
          inside == "QToolBar")
        continue;
      QVERIFY2(named, qPrintable(QString("%1 %2 in %3")
                                     .arg(widget->metaObject()->className(), widget->objectName(),
                                          inside)));
    }
  }

  void theDockFitsASmallWindow() {
    m_window->resize(1280, 800);
    auto* view = child<QScrollArea>(*m_window, "setupView");
    QVERIFY2(view->widget()->minimumSizeHint().width() <= view->viewport()->width(),
             qPrintable(QString("%1 > %2")
                            .arg(view->widget()->minimumSizeHint().width())
                            .arg(view->viewport()->width())));
  }

 private:
  ExperimentDocument* document() { return m_window->document(); }
  const Experiment& experiment() {
    m_experiment = document()->experiment();
    return m_experiment;
  }
  QString failureText() {
    const auto& failure = m_window->runner()->failure();
    return failure ? failure->text : QString();
  }
  void drop(const QString& path) {
    QMimeData data;
    data.setUrls({QUrl::fromLocalFile(path)});
    // Qt drops only where a drag was taken before.
    QDragEnterEvent enter(QPoint(10, 10), Qt::CopyAction, &data, Qt::LeftButton, Qt::NoModifier);
    QCoreApplication::sendEvent(m_window.get(), &enter);
    QVERIFY(enter.isAccepted());
    QDropEvent event(QPointF(10, 10), Qt::CopyAction, &data, Qt::LeftButton, Qt::NoModifier);
    QCoreApplication::sendEvent(m_window.get(), &event);
  }

  QTemporaryDir m_home;
  std::unique_ptr<MainWindow> m_window;
  Experiment m_experiment;
};

QTEST_MAIN(WindowTest)
#include "window_test.moc"
