// The Predict page by its real controls, on a calibration with round numbers; and its figures.
#include <QHeaderView>
#include <QLabel>
#include <QPushButton>
#include <QScrollBar>
#include <QSignalSpy>
#include <QTableView>
#include <atomic>
#include <chrono>
#include <cmath>
#include <thread>

#include "tests/ui/window_driver.h"
#include "ui/live/tile.h"
#include "ui/message_bar.h"
#include "ui/predict/predict_page.h"
#include "ui/predict/prediction_tables.h"

using namespace convoy;
using namespace convoy::ui;

namespace {

// One layer of 8 kernels, 5x5 on 3x32x32: 1 ms a kernel and picture at batch 10, in both passes
// together; the rest of a step takes 20 ms.
CalibrationRecord recordOf(int batch) {
  CalibrationRecord record;
  record.network = {{{8}, 5, PaddingMode::kValid}, 3, 32, 32, 10};
  record.batch_size = batch;
  CalibrationRecord::LayerTimes layer;
  layer.count = 4;
  layer.ms = {0.1 * batch * 4, 0.0, 0.3 * batch * 4};
  layer.algorithm = {"gemm", "", "gemm"};
  layer.cost = {0.0, 0.4 * batch};
  record.devices = {{"cpu:0", "A", std::nullopt, {layer}}, {"cpu:1", "B", std::nullopt, {layer}}};
  record.baseline_ms = {{0.1 * batch * 8, 0.0, 0.3 * batch * 8}};
  record.rest = {{"update", 20.0}};
  return record;
}

void useOneLayer(ExperimentDocument& document) {
  document.edit("One layer", {}, [](Setup& setup) {
    setup.experiment.network = {{8}, 5, PaddingMode::kValid};
    setup.experiment.training.batch_size = 10;
    setup.experiment.link.bandwidth_mbps = 100.0;
    setup.devices = {{{"cpu:0", "A", 1.0, {}}, true, 0.0}, {{"cpu:1", "B", 1.0, {}}, true, 0.0}};
  });
}

PredictionData calculated(const Experiment& experiment, PredictAxis axis,
                          const std::vector<MeasuredRun>& measured = {}) {
  return calculate(PredictionStudy({recordOf(10), recordOf(20)}), {experiment, axis, measured});
}

int rowOf(const PredictedCurves& curves, double x) {
  const auto found = std::find(curves.x.begin(), curves.x.end(), x);
  return found == curves.x.end() ? -1 : int(found - curves.x.begin());
}

}  // namespace

class PredictTest : public QObject, private WindowDriver {
  Q_OBJECT

 private slots:
  void initTestCase() { useOwnSettings(); }
  void init() {
    QSettings().clear();
    MainWindow::Options options;
    options.restoreSession = false;
    options.calibrate = [this](const Experiment& experiment, RunControl& control, const auto&) {
      ++m_calibrations;
      while (m_hold && !control.stop_token().stop_requested())
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
      if (control.stop_token().stop_requested()) throw Interrupted();
      if (m_fail) throw Error(ErrorKind::kDevice, "cpu:1", "is on fire");
      return recordOf(experiment.training.batch_size);
    };
    m_calibrations = 0;
    m_hold = m_fail = false;
    m_window = std::make_unique<MainWindow>(machine(), options);
    useOneLayer(*document());
    m_window->show();
    QVERIFY(QTest::qWaitForWindowExposed(m_window.get()));
    m_window->showPage(MainWindow::Page::Predict);
  }
  void cleanup() { m_window.reset(); }

  void curvesAreThePredictions() {
    const Experiment given = experiment();
    const PredictionData data = calculated(given, PredictAxis::Bandwidth);
    QVERIFY2(data.obstacle.isEmpty(), qPrintable(data.obstacle));
    const PredictionStudy study({recordOf(10), recordOf(20)});
    for (const double mbps : {1.0, 100.0, 1000.0}) {
      const int row = rowOf(data.curves, mbps);
      QVERIFY(row >= 0);
      Experiment there = with_bandwidth(given, mbps);
      QCOMPARE(data.curves.methods[0].stepMs[size_t(row)], study.predict(there).step.step_ms);
      QCOMPARE(data.curves.methods[0].speedup[size_t(row)], *study.predict(there).speedup);
      there.distribution.options = best_options();
      QCOMPARE(data.curves.methods[1].stepMs[size_t(row)], study.predict(there).step.step_ms);
      QVERIFY(std::isnan(data.curves.methods[2].stepMs[size_t(row)]));  // it has a name
    }
    QCOMPARE(data.curves.here, std::optional(100.0));
    QVERIFY(std::is_sorted(data.curves.x.begin(), data.curves.x.end()));
    QCOMPARE(calculated(given, PredictAxis::Devices).curves.x, (std::vector{1.0, 2.0}));
    QCOMPARE(calculated(given, PredictAxis::BatchSize).curves.x, (std::vector{10.0, 20.0}));
  }

  void savingsCountFromThePapersMethod() {
    const PredictionData data = calculated(experiment(), PredictAxis::Bandwidth);
    QCOMPARE(data.options.size(), size_t(8));
    const OptionWorth& paper = data.options.front();
    QVERIFY(paper.inUse);
    // Input, weight, output and its gradient, and the weight's gradient of half the kernels.
    QCOMPARE(paper.bytes, 4.0 * (10 * 3 * 32 * 32 + 2 * 4 * 3 * 25 + 2 * 10 * 4 * 28 * 28));
    for (const OptionWorth& option : data.options) {
      QVERIFY(option.bytes <= paper.bytes);
      QVERIFY(option.ms <= paper.ms * (1.0 + 1e-9));
    }
    const auto wire = std::find_if(data.options.begin(), data.options.end(),
                                   [](const auto& option) { return option.name.contains("fp16"); });
    QVERIFY(wire != data.options.end());
    QCOMPARE(wire->bytes, paper.bytes / 2.0);
    OptionTable table;
    table.setOptions(data.options);
    const int row = int(wire - data.options.begin());
    QVERIFY(table.index(row, OptionTable::TrafficSaved).data().toString().contains("50"));
    QVERIFY(table.index(0, OptionTable::TrafficSaved).data().toString().isEmpty());
  }

  void onlyRunsOfTheSameKindAreHeldAgainstIt() {
    const Experiment given = experiment();
    Experiment slower = with_bandwidth(given, 30.0);
    slower.name = "another name";
    slower.training.steps = 7;
    Experiment other = given;
    other.network.kernels = {9};
    const PredictionData data =
        calculated(given, PredictAxis::Bandwidth, {{slower, 50.0, 1.5}, {other, 60.0, {}}});
    QCOMPARE(data.checks.size(), size_t(1));
    QCOMPARE(data.checks[0].measuredMs, 50.0);
    const int row = rowOf(data.curves, 30.0);
    QVERIFY(row >= 0);
    QCOMPARE(data.curves.measured.stepMs[size_t(row)], 50.0);
    QCOMPARE(data.checks[0].predictedMs, data.curves.methods[0].stepMs[size_t(row)]);
    // The same run is none of the curve over batch sizes: its link is another.
    QVERIFY(calculated(given, PredictAxis::BatchSize, {{slower, 50.0, 1.5}}).checks.empty());
  }

  void withoutACalibrationThePageSaysWhatToDo() {
    QVERIFY(child<QPushButton>(*m_window, "calibrate")->isVisible());
    QVERIFY(child<QLabel>(*m_window, "predictEmpty")->text().contains("calibrate"));
    calibrate();
    QCOMPARE(m_calibrations.load(), 1);
    QVERIFY(child<QLabel>(*m_window, "verdict")->isVisible());
    QVERIFY(!child<QLabel>(*m_window, "verdict")->text().isEmpty());
    const PredictionStudy study({recordOf(10)});
    const QString expected =
        QString::fromStdString(study.verdict(experiment(), study.break_even(experiment())));
    QCOMPARE(child<QLabel>(*m_window, "verdict")->text(), expected);
    // Another network is not known.
    document()->edit("Kernels", {}, [](Setup& setup) { setup.experiment.network.kernels = {9}; });
    QTRY_VERIFY(child<QPushButton>(*m_window, "calibrate")->isVisible());
    const QString text = child<QLabel>(*m_window, "predictEmpty")->text();
    QVERIFY2(text.startsWith("There is no calibration of the network 9 ") &&
                 text.section('\n', 0, 0).endsWith('.'),
             qPrintable(text));
  }

  void anEmptyTableSaysWhatFillsIt() {
    calibrate();
    auto* table = child<QTableView>(*m_window, "checkTable");
    const auto* text = table->parentWidget()->findChild<QLabel*>("noRows");
    QVERIFY(text && text->isVisible() && !text->text().isEmpty());
    QVERIFY(!table->isVisible());
    auto* page = m_window->predictPage();
    QSignalSpy settled(page, &PredictPage::settled);
    page->addMeasured({experiment(), 50.0, 1.5});
    QVERIFY(settled.wait(kSoon));
    QVERIFY(table->isVisible());
    QVERIFY(!text->isVisible());
  }

  void chartsOfTheShownAxisAreSaved() {
    QVERIFY(m_window->predictPage()->chartsToSave().isEmpty());
    calibrate();
    const QTemporaryDir folder;
    m_window->exportCharts(folder.path(), ExportFormat::Csv);
    QCOMPARE(QDir(folder.path()).entryList(QDir::Files),
             (QStringList{"predicted-speedup-over-bandwidth.csv",
                          "predicted-step-time-over-bandwidth.csv"}));
  }

  // What has no curve has no place in the legend; the verdict and the tile agree on the digits.
  void onlyWhatIsThereIsNamed() {
    calibrate();
    const auto* page = m_window->predictPage();
    const auto named = [page](const QString& name) {
      for (const auto* entry : page->charts().front()->findChildren<QAbstractButton*>())
        if (entry->accessibleName() == name) return entry->isVisible();
      return false;
    };
    QVERIFY(named(methodName(Method::Paper)));
    QVERIFY(!named(methodName(Method::Own)));
    document()->edit("Overlap", {},
                     [](Setup& setup) { setup.experiment.distribution.options.overlap = true; });
    QTRY_VERIFY_WITH_TIMEOUT(named(methodName(Method::Own)), kSoon);

    QVERIFY(page->data().breakEven.kind == BreakEven::Kind::kAt);
    for (const Tile* tile : page->findChildren<Tile*>())
      if (tile->name() == "Break-even")
        QVERIFY2(page->data().verdict.contains(tile->value() + ' '), qPrintable(tile->value()));
  }

  // By the best method nothing is lost over slow links, and nothing gained: the tile says from
  // where on there is.
  void theBreakEvenOfTheBestMethodIsWhereItGains() {
    calibrate();
    const auto* page = m_window->predictPage();
    document()->edit("Best", {},
                     [](Setup& setup) { setup.experiment.distribution.options = best_options(); });
    QTRY_VERIFY_WITH_TIMEOUT(page->data().now.step.step_ms == page->data().options.back().ms,
                             kSoon);
    const PredictionData& data = page->data();
    QVERIFY(data.breakEven.kind == BreakEven::Kind::kAt);
    QCOMPARE(data.curves.breakEven, std::optional(data.breakEven.bandwidth_mbps));
    const auto& speedup = data.curves.methods[1].speedup;
    QVERIFY(data.curves.x.front() < data.breakEven.bandwidth_mbps);
    QVERIFY(speedup.front() > 0.995);
    for (size_t row = 0; row < data.curves.x.size(); ++row)
      QCOMPARE(speedup[row] >= 1.005, data.curves.x[row] >= data.breakEven.bandwidth_mbps);
    for (const Tile* tile : page->findChildren<Tile*>())
      if (tile->name() == "Break-even")
        QVERIFY2(data.verdict.contains(tile->value() + ' '), qPrintable(data.verdict));
  }

  // No bandwidth of the default link is to blame where no device uses it.
  void linksOfTheirOwnAreSaid() {
    calibrate();
    const auto* page = m_window->predictPage();
    document()->edit("Link", {}, [](Setup& setup) {
      setup.devices[1].spec.link = LinkSettings();
      setup.devices[1].spec.link->bandwidth_mbps = 5.0;
    });
    QTRY_VERIFY_WITH_TIMEOUT(page->data().breakEven.kind == BreakEven::Kind::kUnasked, kSoon);
    QVERIFY2(page->data().verdict.contains("over the devices' own links"),
             qPrintable(page->data().verdict));
    QVERIFY(!page->data().curves.here && !page->data().curves.breakEven);
    bool hinted = false;
    for (const QLabel* label : page->findChildren<QLabel*>())
      hinted |=
          label->isVisible() && label->text().startsWith("Every device has a link of its own");
    QVERIFY(hinted);
    for (const Tile* tile : page->findChildren<Tile*>())
      if (tile->name() == "Break-even") QCOMPARE(tile->value(), "–");
  }

  // Where there is room, no number touches the next column's.
  void aWideTableHasAir() {
    calibrate();
    m_window->resize(1700, 1000);
    const auto* table = child<QTableView>(*m_window, "optionTable");
    for (int column = 1; column < table->horizontalHeader()->count(); ++column)
      QTRY_VERIFY(table->columnWidth(column) >=
                  table->horizontalHeader()->sectionSizeHint(column) + 16);
    QTRY_COMPARE(cutText(*table), QString());
    // And no name keeps the second line that it needed before.
    for (const int width : {1024, 1700}) {
      m_window->resize(width, 1000);
      if (width == 1024) m_window->predictPage()->addMeasured({experiment(), 91.73, 1.5});
      const auto* checks = child<QTableView>(*m_window, "checkTable");
      QTRY_COMPARE(checks->model()->rowCount(), 1);
      if (width == 1700)
        QTRY_COMPARE(checks->rowHeight(0), checks->verticalHeader()->defaultSectionSize());
    }
  }

  void theSetUpIsFollowed() {
    calibrate();
    auto* page = m_window->predictPage();
    const double before = page->data().now.step.step_ms;
    QSignalSpy settled(page, &PredictPage::settled);
    click(*m_window, "stop50");
    QVERIFY(settled.wait(kSoon));
    QVERIFY(page->data().now.step.step_ms > before);
    QCOMPARE(page->data().curves.here, std::optional(50.0));
  }

  void curvesOverAnotherAxis() {
    calibrate();
    auto* page = m_window->predictPage();
    QSignalSpy settled(page, &PredictPage::settled);
    click(*m_window, "axisBatch");
    QVERIFY(settled.wait(kSoon));
    QCOMPARE(page->data().curves.x, std::vector{10.0});
    auto* more = child<QPushButton>(*m_window, "calibrateBatch");
    QVERIFY(more->isVisible());
    QVERIFY(more->text().contains("20"));
    click(*m_window, "calibrateBatch");
    QTRY_COMPARE_WITH_TIMEOUT(page->data().curves.x.size(), size_t(2), kSoon);
    QCOMPARE(m_calibrations.load(), 2);
  }

  void aCalibrationCanBeStoppedAndMayFail() {
    m_hold = true;
    click(*m_window, "calibrate");
    QTRY_VERIFY(child<QPushButton>(*m_window, "stopCalibration")->isVisible());
    click(*m_window, "stopCalibration");
    QTRY_VERIFY_WITH_TIMEOUT(child<QPushButton>(*m_window, "calibrate")->isVisible(), kSoon);
    QVERIFY(m_window->messageBar()->texts().isEmpty());
    m_hold = false;
    m_fail = true;
    click(*m_window, "calibrate");
    QTRY_VERIFY_WITH_TIMEOUT(m_window->messageBar()->texts().join(' ').contains("is on fire"),
                             kSoon);
  }

  void closingWhileItCalibratesIsSafe() {
    m_hold = true;
    click(*m_window, "calibrate");
    QTRY_COMPARE(m_calibrations.load(), 1);
    QVERIFY(m_window->close());
    m_window.reset();
  }

  void noTableCutsItsTextInASmallWindow_data() {
    QTest::addColumn<Scheme>("scheme");
    QTest::newRow("light") << Scheme::Light;
    QTest::newRow("dark") << Scheme::Dark;
  }
  void noTableCutsItsTextInASmallWindow() {
    QFETCH(Scheme, scheme);
    calibrate();
    m_window->resize(1024, 700);
    auto* page = m_window->predictPage();
    // As long as names become, by every method.
    for (const DistributionOptions& options : {paper_options(), best_options()})
      for (const std::optional<double> mbps : {std::optional(12350.0), {}, std::optional(50.0)}) {
        Experiment run = experiment();
        run.link.bandwidth_mbps = mbps;
        run.distribution.options = options;
        page->addMeasured({run, 91.73, 1.5});
      }
    QTRY_VERIFY_WITH_TIMEOUT(page->data().checks.size() == 6, kSoon);
    for (const char* axis : {"axisBandwidth", "axisDevices", "axisBatch"}) {
      QSignalSpy settled(page, &PredictPage::settled);
      click(*m_window, axis);
      QVERIFY(settled.wait(kSoon));
      for (const Scheme one : {scheme == Scheme::Light ? Scheme::Dark : Scheme::Light, scheme})
        Theme::instance().apply(one);
      QCOMPARE(m_window->size(), QSize(1024, 700));
      for (const char* name : {"optionTable", "checkTable"}) {
        const auto* table = child<QTableView>(*m_window, name);
        if (table->isVisible()) QTRY_COMPARE(cutText(*table), QString());
      }
      QVERIFY(child<QTableView>(*m_window, "optionTable")->isVisible());
      QVERIFY(axis != QByteArray("axisBandwidth") ||
              child<QTableView>(*m_window, "checkTable")->isVisible());
    }
    Theme::instance().apply(Scheme::Light);
  }

  void fitsASmallWindow() {
    calibrate();
    const QSize least = m_window->predictPage()->minimumSizeHint();
    QVERIFY2(least.width() <= 860 && least.height() <= 520,
             qPrintable(QString("%1x%2").arg(least.width()).arg(least.height())));
  }

 private:
  // The first text of the table that is not shown whole.
  static QString cutText(const QTableView& table) {
    const QHeaderView* header = table.horizontalHeader();
    if (table.horizontalScrollBar()->maximum() > 0) return "a column";
    const QAbstractItemModel* model = table.model();
    const int margin = 2 * (table.style()->pixelMetric(QStyle::PM_FocusFrameHMargin) + 1);
    for (int column = 0; column < header->count(); ++column) {
      if (header->sectionSize(column) < header->sectionSizeHint(column))
        return model->headerData(column, Qt::Horizontal).toString();
      for (int row = 0; row < model->rowCount(); ++row) {
        const QModelIndex cell = model->index(row, column);
        const QString text = cell.data().toString();
        const QSize room(table.columnWidth(column) - margin, table.rowHeight(row));
        const QFontMetrics metrics(cell.data(Qt::FontRole).value<QFont>());
        const int flags = table.wordWrap() ? Qt::TextWordWrap : Qt::TextSingleLine;
        const QRect need = metrics.boundingRect(QRect(QPoint(), room), flags, text);
        if (need.width() > room.width() || need.height() > room.height()) return text;
      }
    }
    return {};
  }

  void calibrate() {
    QSignalSpy settled(m_window->predictPage(), &PredictPage::settled);
    click(*m_window, "calibrate");
    QTRY_VERIFY_WITH_TIMEOUT(!m_window->predictPage()->data().options.empty(), kSoon);
  }

  std::atomic<int> m_calibrations{0};
  std::atomic<bool> m_hold{false}, m_fail{false};
};

QTEST_MAIN(PredictTest)
#include "predict_test.moc"
