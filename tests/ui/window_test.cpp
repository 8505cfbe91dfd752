// The window by its real controls: mouse and keys in, the experiment out.
#include <QComboBox>
#include <QDropEvent>
#include <QLabel>
#include <QLayout>
#include <QLineEdit>
#include <QMenuBar>
#include <QMimeData>
#include <QScreen>
#include <QScrollArea>
#include <QScrollBar>
#include <QSlider>
#include <QSpinBox>
#include <QTabWidget>
#include <QTableView>
#include <QToolBar>

#include "tests/ui/window_driver.h"
#include "ui/charts/chart_canvas.h"
#include "ui/column_area.h"
#include "ui/live/live_page.h"
#include "ui/message_bar.h"
#include "ui/models/device_model.h"
#include "ui/setup/section.h"

using namespace convoy;
using namespace convoy::ui;

class WindowTest : public QObject, private WindowDriver {
  Q_OBJECT

 private slots:
  void initTestCase() { useOwnSettings(); }
  void init() { openWindow(); }
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

  // Written as all large numbers are, and read with or without the comma.
  void bandwidthsAreGrouped() {
    auto* box = child<QDoubleSpinBox>(*m_window, "bandwidth");
    const QString group = box->locale().groupSeparator();
    for (const QString& typed : {QStringLiteral("12500"), "13" + group + "500"}) {
      type(box, typed);
      const auto mbps = document()->setup().experiment.link.bandwidth_mbps;
      QCOMPARE(mbps, std::optional(typed.startsWith("12") ? 12500.0 : 13500.0));
      QCOMPARE(box->text(), box->locale().toString(*mbps, 'f', 0) + " Mb/s");
    }
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
    QVERIFY(other.openFile(file));
    QVERIFY(!other.messageBar()->texts().join(' ').contains("missing.json"));  // past
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

  // Alt and a letter go to one place, also with everything unfolded.
  void everyMnemonicIsOfOneControl() {
    for (Section* section : m_window->findChildren<Section*>()) section->setExpanded(true);
    document()->edit("Own method", {},
                     [](Setup& setup) { setup.experiment.distribution.options.overlap = true; });
    QMap<QString, QString> taken;
    const auto take = [&taken](const QString& text) {
      const QString key = QKeySequence::mnemonic(text).toString();
      if (key.isEmpty()) return;
      QVERIFY2(!taken.contains(key), qPrintable(taken.value(key) + " and " + text));
      taken.insert(key, text);
    };
    for (const QAction* menu : m_window->menuBar()->actions()) take(menu->text());
    const auto* pages = child<QTabWidget>(*m_window, "pages");
    for (int page = 0; page < pages->count(); ++page) take(pages->tabText(page));
    m_window->showPage(MainWindow::Page::Predict);
    for (const QLabel* label : m_window->findChildren<QLabel*>())
      if (label->buddy() && label->isVisible()) take(label->text());
    for (const QAbstractButton* button : m_window->findChildren<QAbstractButton*>())
      if (button->isVisible()) take(button->text());
    QVERIFY(taken.size() > 20);
  }

  void theDockFitsASmallWindow_data() {
    QTest::addColumn<QSize>("size");
    QTest::newRow("1280x800") << QSize(1280, 800);
    QTest::newRow("1024x700") << QSize(1024, 700);
  }
  void theDockFitsASmallWindow() {
    QFETCH(QSize, size);
    m_window->resize(size);
    QCOMPARE(m_window->size(), size);  // it can be as small
    auto* view = child<QScrollArea>(*m_window, "setupView");
    QVERIFY2(view->widget()->minimumSizeHint().width() <= view->viewport()->width(),
             qPrintable(QString("%1 > %2")
                            .arg(view->widget()->minimumSizeHint().width())
                            .arg(view->viewport()->width())));
  }

  void theFirstWindowFitsItsScreen() {
    QCOMPARE(MainWindow::startSize({1920, 1080}), QSize(1280, 800));
    for (const QSize screen : {QSize(1366, 768), QSize(1024, 700)}) {
      const QSize size = MainWindow::startSize(screen);
      QVERIFY(size.width() < screen.width() && size.height() + 24 < screen.height());
    }
    const QSize here = m_window->screen()->availableSize();
    if (m_window->minimumSizeHint().width() < here.width())
      QVERIFY(m_window->width() <= here.width());
  }

  // Who aims at "Stop" hits it, whether the run is paused or not.
  void pausingMovesNoButton() {
    const auto* stop = child<QToolButton>(*m_window, "stopButton");
    auto* pause = child<QToolButton>(*m_window, "pauseButton")->defaultAction();
    const QString word = pause->text();
    const int place = stop->x();
    pause->setText("Resu&me");
    m_window->findChild<QToolBar*>()->layout()->activate();
    QCoreApplication::processEvents();
    QCOMPARE(stop->x(), place);
    pause->setText(word);
  }

  void aLongTitleLeavesTheButtonsWhole() {
    m_window->resize(1024, 700);
    document()->edit("Name", {},
                     [](Setup& setup) { setup.experiment.name = std::string(200, 'm'); });
    const auto* exports = child<QToolButton>(*m_window, "exportButton");
    QTRY_VERIFY_WITH_TIMEOUT(exports->width() >= exports->sizeHint().width(), kSoon);
  }

  void messagesLeaveTheChartsReadable() {
    m_window->resize(1024, 700);
    const auto* area = m_window->findChild<LivePage*>()->findChild<ColumnArea*>();
    QTRY_COMPARE_WITH_TIMEOUT(area->verticalScrollBar()->maximum(), 0, kSoon);  // all fits
    for (const char* text : {"one", "two", "three"})
      m_window->messageBar()->add(Severity::kWarning, text);
    for (const ChartCanvas* canvas : m_window->findChildren<ChartCanvas*>())
      if (canvas->isVisible())
        QTRY_VERIFY_WITH_TIMEOUT(canvas->height() >= canvas->minimumHeight(), kSoon);
  }

 private:
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
};

QTEST_MAIN(WindowTest)
#include "window_test.moc"
