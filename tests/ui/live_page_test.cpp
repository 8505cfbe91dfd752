// The live page on a run fed by hand: what it says in each state, and what it saves.
#include "ui/live/live_page.h"

#include <QAction>
#include <QDir>
#include <QFile>
#include <QLabel>
#include <QSignalSpy>
#include <QTemporaryDir>
#include <QTest>

#include "ui/charts/chart_canvas.h"
#include "ui/charts/chart_table_model.h"
#include "ui/charts/save_charts.h"
#include "ui/live/run_store.h"
#include "ui/live/tile.h"

using namespace convoy;
using namespace convoy::ui;

namespace {

void startRun(RunStore& store, int steps, const Experiment& experiment = {}) {
  RunStarted started;
  started.experiment_json = experiment_json(experiment);
  started.batch_size = 64;
  started.steps = steps;
  started.network = "50:500";
  started.dataset = "synthetic";
  for (const char* name : {"A", "a device with a very long name that no label has room for"}) {
    RunDevice device;
    device.name = name;
    started.devices.push_back(device);
  }
  store.start(started);
}

void measureBefore(RunStore& store) {
  RunCalibrated calibrated;
  calibrated.kernels = {{20, 30}, {200, 300}};
  calibrated.share = {0.4, 0.6};
  calibrated.gflops = {40.0, 60.0};
  calibrated.predicted_step_ms = 66.0;
  store.calibrated(calibrated);
  RunBaseline baseline;
  baseline.device = 1;
  baseline.name = "B";
  baseline.step_ms = 120.0;
  baseline.amdahl_limit = 1.6;
  store.baseline(baseline);
}

void takeStep(RunStore& store, int number) {
  RunStep step;
  step.step = number;
  step.conv_ms = 50.0 + number % 3;
  step.comm_ms = 20.0;
  step.comp_ms = 10.0;
  step.step_ms = step.conv_ms + step.comm_ms + step.comp_ms;
  step.loss = 2.0 / number;
  step.train_accuracy = 0.25;
  for (int device = 0; device < 2; ++device) {
    Slice slice;
    slice.device = device;
    slice.end = slice.begin + std::chrono::milliseconds(40 + device);
    step.slices.push_back(slice);
  }
  store.step(step);
}

// A whole run of one step.
void runTo(RunStore& store, const RunSummary& summary) {
  startRun(store, 20);
  measureBefore(store);
  takeStep(store, 1);
  store.finished(summary);
  store.publish();
}

const Tile* tileOf(const LivePage& page, const QString& name) {
  for (const Tile* tile : page.findChildren<Tile*>())
    if (tile->name() == name) return tile;
  return nullptr;
}

}  // namespace

class LivePageTest : public QObject {
  Q_OBJECT

 private slots:
  void initTestCase() {
    QLocale::setDefault(QLocale::c());
    Theme::instance().apply(Scheme::Light);
  }

  void saysWhatIsHappening() {
    RunStore store;
    LivePage page(store);
    page.resize(880, 660);
    page.show();
    QCOMPARE(page.statusText(), "Ready");
    startRun(store, 20);
    store.publish();
    QCOMPARE(page.statusText(), "Preparing");
    store.phase(RunPhase::kCalibrating, "A, layer 1", 1, 4);
    store.publish();
    QCOMPARE(page.statusText(), "Calibrating");
    store.phase(RunPhase::kBaseline, "A", 1, 4);
    store.publish();
    QCOMPARE(page.statusText(), "Measuring the baseline");
    measureBefore(store);
    takeStep(store, 1);
    store.publish();
    QCOMPARE(page.statusText(), "Training");
    store.phase(RunPhase::kTesting, "", 0, 0);
    store.publish();
    QCOMPARE(page.statusText(), "Testing");
    for (const auto& [outcome, text] :
         {std::pair{RunOutcome::kDone, "Finished"}, std::pair{RunOutcome::kStopped, "Stopped"},
          std::pair{RunOutcome::kFailed, "Failed"}}) {
      RunSummary summary;
      summary.outcome = outcome;
      store.finished(summary);
      store.publish();
      QCOMPARE(page.statusText(), text);
    }
    store.reset();
    store.publish();
    QCOMPARE(page.statusText(), "Ready");
  }

  void tilesShowTheStoresNumbers() {
    RunStore store;
    LivePage page(store);
    page.show();
    startRun(store, 20);
    measureBefore(store);
    for (int i = 1; i <= 3; ++i) takeStep(store, i);  // 81, 82, 80 ms
    QCOMPARE(tileOf(page, "Speedup")->value(), "–");  // not before publish()
    store.publish();
    QCOMPARE(tileOf(page, "Speedup")->value(), "1.48x");
    QCOMPARE(tileOf(page, "Speedup")->note(), "of 1.60x Amdahl limit");
    QCOMPARE(tileOf(page, "Efficiency")->value(), "89");  // 120/81 of (40+60)/60
    QCOMPARE(tileOf(page, "Step time")->value(), "81.0");
    QCOMPARE(tileOf(page, "Step time")->note(), "predicted 66.0 ms (−19 %)");
    QCOMPARE(tileOf(page, "Throughput")->value(), "790");
    QCOMPARE(tileOf(page, "Accuracy")->value(), "25.0");
    QCOMPARE(tileOf(page, "Time left")->value(), "0:02");
    RunSummary summary;
    summary.test_accuracy = 0.875;
    summary.speedup = 1.5;
    store.finished(summary);
    store.publish();
    QCOMPARE(tileOf(page, "Accuracy")->value(), "87.5");
    QCOMPARE(tileOf(page, "Speedup")->value(), "1.50x");
    QCOMPARE(tileOf(page, "Time left")->value(), "–");
  }

  // Nobody takes a slowdown for a success: it is said, and in another colour.
  void aSlowdownIsSaid() {
    QCOMPARE(inkOfSpeedup(std::nullopt), Ink::Speedup);
    QCOMPARE(inkOfSpeedup(0.996), Ink::Speedup);  // shown as 1.00x
    QCOMPARE(inkOfSpeedup(0.99), Ink::Warning);
    RunStore store;
    LivePage page(store);
    page.show();
    RunSummary summary;
    summary.speedup = 0.018;
    summary.efficiency = 0.004;
    runTo(store, summary);
    QCOMPARE(tileOf(page, "Speedup")->value(), "0.018x");
    QCOMPARE(tileOf(page, "Speedup")->note(), "slower than B alone");
    QCOMPARE(tileOf(page, "Efficiency")->value(), "0.4");  // not 0
  }

  // The badge keeps the height of its line beside a text of two.
  void theBadgeKeepsItsHeight() {
    RunStore store;
    LivePage page(store);
    page.show();
    Experiment experiment;
    experiment.clock = ClockMode::kVirtual;
    startRun(store, 20, experiment);
    takeStep(store, 1);
    store.publish();
    const auto* badge = page.findChild<QLabel*>("virtualClock");
    QVERIFY(badge->isVisible());
    page.resize(1600, 700);
    QTRY_COMPARE(badge->height(), badge->sizeHint().height());
    page.resize(page.minimumSizeHint().width(), 700);
    QTRY_COMPARE(badge->height(), badge->sizeHint().height());
  }

  // Text that shrinks until it fits cannot be read.
  void aNarrowTileSaysLess() {
    Tile tile("Speedup");
    tile.setValue("1.48x", {}, "of 1.60x Amdahl limit", "limit 1.60x");
    tile.resize(200, 72);
    QCOMPARE(tile.shownNote(), "of 1.60x Amdahl limit");
    tile.resize(tile.minimumSizeHint());
    QCOMPARE(tile.shownNote(), "limit 1.60x");
    QCOMPARE(tile.note(), "of 1.60x Amdahl limit");  // for those who hear it
  }

  void virtualTimeIsCalledSo() {
    RunStore store;
    LivePage page(store);
    page.show();
    const auto* mark = page.findChild<QLabel*>("virtualClock");
    QVERIFY(mark);
    for (const ClockMode clock : {ClockMode::kWall, ClockMode::kVirtual}) {
      Experiment experiment;
      experiment.clock = clock;
      startRun(store, 20, experiment);
      measureBefore(store);
      takeStep(store, 1);
      store.publish();
      const bool isVirtual = clock == ClockMode::kVirtual;
      QCOMPARE(mark->isVisible(), isVirtual);
      QCOMPARE(tileOf(page, "Virtual step time") != nullptr, isVirtual);
      QCOMPARE(tileOf(page, "Step time") != nullptr, !isVirtual);
    }
    store.reset();
    store.publish();
    QVERIFY(!mark->isVisible());
  }

  // A prediction is of the link that the run began with.
  void aMovedLinkEndsThePrediction() {
    RunStore store;
    LivePage page(store);
    page.show();
    startRun(store, 20);
    measureBefore(store);
    takeStep(store, 1);
    QCOMPARE(store.predictedStepMs(), std::optional(66.0));
    RunStep step;
    step.step = 2;
    step.step_ms = 90.0;
    step.bandwidth_mbps = 10.0;
    store.step(step);
    store.publish();
    QVERIFY(!store.predictedStepMs());
    QVERIFY(!store.predictedSpeedup());
    QCOMPARE(tileOf(page, "Step time")->note(), "alone 120 ms");
  }

  void sharesThatChangeAreShown() {
    RunStore store;
    LivePage page(store);
    page.resize(880, 660);
    page.show();
    startRun(store, 20);
    measureBefore(store);
    takeStep(store, 1);
    store.publish();
    auto* action = page.findChild<QAction*>("showShares");
    QVERIFY(!action->isVisible());
    QVERIFY(!page.sharesChart());
    RunShares shares;
    shares.step = 2;
    shares.change = ShareChange::kQuarantine;
    shares.kernels = {{50, 0}, {500, 0}};
    shares.share = {1.0, 0.0};
    RunQuarantine lost;
    lost.step = 2;
    lost.device = 1;
    lost.name = store.deviceName(1).toStdString();
    store.quarantined(lost);
    store.sharesChanged(shares);
    takeStep(store, 2);
    store.publish();
    QVERIFY(action->isVisible());
    action->trigger();
    QVERIFY(page.sharesChart()->isVisible());
    QCOMPARE(store.deviceShareAt(1, 0), std::optional(0.6));
    QCOMPARE(store.deviceShareAt(1, 1), std::optional(0.0));
    QCOMPARE(store.deviceKernels(0), (std::vector{50, 500}));
    QVERIFY(!store.predictedStepMs());  // was of other devices
    const auto texts = [&page] {
      QString all;
      for (const QLabel* label : page.findChildren<QLabel*>()) all += label->text() + '\n';
      return all;
    };
    QVERIFY(texts().contains("out: " + store.deviceName(1)));
    store.readmitted({3, 1, lost.name});
    store.publish();
    QVERIFY(!texts().contains("out: "));
    // Another run has other devices.
    startRun(store, 20);
    store.publish();
    QVERIFY(!page.sharesChart());
    QVERIFY(page.charts()[0]->isVisible());
  }

  void theGradientsAreHeldAgainstOneDevice() {
    RunStore store;
    LivePage page(store);
    page.show();
    RunSummary summary;
    summary.gradient_difference = 3.2e-6;
    runTo(store, summary);
    bool said = false;
    for (const QLabel* label : page.findChildren<QLabel*>())
      said |= label->text().contains("gradient difference from one device: 3.2e-06");
    QVERIFY(said);
  }

  void onlyWhatIsVisibleUpdates() {
    RunStore store;
    LivePage page(store);
    startRun(store, 20);
    measureBefore(store);
    takeStep(store, 1);
    store.publish();
    QCOMPARE(tileOf(page, "Speedup")->value(), "–");
    page.show();
    QCOMPARE(tileOf(page, "Speedup")->value(), "1.48x");
  }

  void savesEveryChart() {
    RunStore store;
    LivePage page(store);
    startRun(store, 20);
    measureBefore(store);
    for (int i = 1; i <= 7; ++i) takeStep(store, i);
    QTemporaryDir folder;
    const QString target = folder.filePath("new/charts");
    for (const ExportFormat format :
         {ExportFormat::Png, ExportFormat::Svg, ExportFormat::Pdf, ExportFormat::Csv}) {
      QCOMPARE(saveCharts(page.allCharts(), target, format), QString());
      const QStringList files = QDir(target).entryList({"*." + suffixOf(format)}, QDir::Files);
      QCOMPARE(files.size(), page.charts().size());
      for (const QString& file : files) QVERIFY(QFileInfo(QDir(target), file).size() > 100);
    }
    QVERIFY(!saveCharts(page.allCharts(), "/proc/no/such/place", ExportFormat::Png).isEmpty());

    // The CSV says what the store holds, to the last bit.
    QFile csv(QDir(target).filePath("step-time.csv"));
    QVERIFY(csv.open(QIODevice::ReadOnly));
    QCOMPARE(csv.readLine(),
             "Step,Convolution (ms),Communication (ms),Rest (ms),Predicted (ms)\r\n");
    for (int row = 0; row < 7; ++row) {
      const QList<QByteArray> fields = csv.readLine().trimmed().split(',');
      QCOMPARE(fields[0].toInt(), row + 1);
      QVERIFY(fields[1].toDouble() == store.steps().convMs[size_t(row)]);
      QVERIFY(fields[2].toDouble() == store.steps().commMs[size_t(row)]);
      QVERIFY(fields[3].toDouble() == store.steps().compMs[size_t(row)]);
      QCOMPARE(fields[4].toDouble(), 66.0);
    }
    QVERIFY(csv.atEnd());
    QFile devices(QDir(target).filePath("time-of-each-device.csv"));
    QVERIFY(devices.open(QIODevice::ReadOnly));
    QCOMPARE(devices.readLine(), "Device,Compute (ms),Send (ms),Receive (ms),Wait (ms)\r\n");
    QCOMPARE(devices.readLine(), "A,40,0,0,0\r\n");
  }

  void chartsShareACursor() {
    RunStore store;
    LivePage page(store);
    page.resize(880, 660);
    page.show();
    QVERIFY(QTest::qWaitForWindowExposed(&page));
    startRun(store, 20);
    measureBefore(store);
    for (int i = 1; i <= 20; ++i) takeStep(store, i);
    store.publish();
    Chart* chart = page.charts()[1];
    QSignalSpy moved(chart, &Chart::cursorMoved);
    const QPoint centre = chart->canvas().plotArea().center().toPoint();
    const QImage before = page.charts()[2]->canvas().grab().toImage();
    QTest::mouseMove(chart->canvas().viewport(), centre);
    QTRY_VERIFY(moved.count() > 0);
    QCOMPARE(moved.last().at(0).value<std::optional<double>>(), std::optional(10.0));
    QVERIFY(page.charts()[2]->canvas().grab().toImage() != before);
  }

  // Nothing of the page needs more than the smallest window leaves beside the set-up dock.
  void fitsASmallWindow() {
    RunStore store;
    LivePage page(store);
    QVERIFY2(page.minimumSizeHint().width() <= 880,
             qPrintable(QString::number(page.minimumSizeHint().width())));
    QVERIFY2(page.minimumSizeHint().height() <= 640,
             qPrintable(QString::number(page.minimumSizeHint().height())));
  }
};

QTEST_MAIN(LivePageTest)
#include "live_page_test.moc"
