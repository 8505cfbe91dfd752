// The one chart class: what it draws, what the mouse does to it, and what it writes.
#include "ui/charts/chart.h"

#include <QAbstractButton>
#include <QAbstractItemModelTester>
#include <QAbstractItemView>
#include <QImage>
#include <QSvgRenderer>
#include <QTemporaryDir>
#include <QTest>
#include <cmath>
#include <limits>
#include <random>

#include "ui/charts/chart_canvas.h"
#include "ui/charts/chart_table_model.h"
#include "ui/charts/decimate.h"
#include "ui/charts/nice_range.h"

using namespace convoy::ui;

namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

// Two series and a level over steps 1, 2, ...
struct Data {
  std::vector<double> first, second;
  std::optional<double> level;
};

LinesSpec linesOf(Data& data, bool stacked = false) {
  LinesSpec spec;
  spec.title = "Times";
  spec.x = {"Step", {}, {}, false};
  spec.left = {"Time", "ms", {}, true};
  spec.stacked = stacked;
  spec.rows = [&data] { return int(data.first.size()); };
  spec.xAt = [](int row) { return row + 1.0; };
  spec.series = {
      {"One", Ink::Compute, [&data](int row) { return data.first[size_t(row)]; }},
      {"Two, \"quoted\"", Ink::Send, [&data](int row) { return data.second[size_t(row)]; }}};
  spec.references = {{"Level", Ink::Limit, {}, [&data] { return data.level; }}};
  return spec;
}

BarsSpec barsOf(std::vector<std::pair<double, double>>& data) {
  BarsSpec spec;
  spec.title = "Devices";
  spec.category = {"Device", {}, {}, false};
  spec.value = {"Time", "ms", {}, false};
  spec.categories = [&data] { return int(data.size()); };
  spec.categoryAt = [](int i) {
    return BarCategory{QStringLiteral("a <long> name & more of it %1").arg(i), "10 kernels", "10 %",
                       Theme::instance().device(i)};
  };
  spec.series = {
      {"Compute", Ink::Compute, [&data](int i) { return data[size_t(i)].first; }},
      {"Wait", Ink::Wait, [&data](int i) { return data[size_t(i)].second; }},
  };
  return spec;
}

Data ramp(int rows) {
  Data data;
  for (int i = 0; i < rows; ++i) {
    data.first.push_back(1.0 + i);
    data.second.push_back(0.1 * (i + 1));
  }
  return data;
}

void show(Chart& chart) {
  chart.resize(500, 320);
  chart.show();
  QVERIFY(QTest::qWaitForWindowExposed(&chart));
}

QPoint centreOf(Chart& chart) {
  return chart.canvas().plotArea().center().toPoint();
}

void wheel(Chart& chart, QPoint at, int notches) {
  QWidget* viewport = chart.canvas().viewport();
  QWheelEvent event(at, viewport->mapToGlobal(at), {}, {0, 120 * notches}, Qt::NoButton,
                    Qt::NoModifier, Qt::NoScrollPhase, false);
  QApplication::sendEvent(viewport, &event);
}

}  // namespace

class ChartTest : public QObject {
  Q_OBJECT

 private slots:
  void initTestCase() { Theme::instance().apply(Scheme::Light); }

  void decimationKeepsExtremes() {
    const unsigned seed = 4711;
    qInfo("seed %u", seed);
    std::mt19937 random(seed);
    std::normal_distribution<double> noise;
    for (const int rows : {1, 2, 250, 499, 501, 1000, 4099, 100000}) {
      std::vector<double> values(static_cast<size_t>(rows));
      for (double& value : values) value = noise(random);
      const auto x = [](int row) { return double(row); };
      const auto y = [&](int row) { return values[size_t(row)]; };
      const int first = rows > 1000 ? 37 : 0;  // a zoomed part, not aligned to a bucket
      QList<QPointF> points;
      appendExtremes(points, first, rows, bucketSize(rows - first, 500), x, y);
      QVERIFY2(points.size() <= 500, qPrintable(QString::number(points.size())));
      if (rows <= 500) QCOMPARE(int(points.size()), rows);
      const auto less = [](const QPointF& a, const QPointF& b) { return a.y() < b.y(); };
      QCOMPARE(std::min_element(points.begin(), points.end(), less)->y(),
               *std::min_element(values.begin() + first, values.end()));
      QCOMPARE(std::max_element(points.begin(), points.end(), less)->y(),
               *std::max_element(values.begin() + first, values.end()));
      for (int i = 0; i < points.size(); ++i) {
        QCOMPARE(points[i].y(), y(int(points[i].x())));
        if (i > 0) QVERIFY(points[i].x() > points[i - 1].x());
      }
    }
  }

  // A stack says where the time went: of many rows the mean, whatever the single ones did.
  void longStacksShowMeans() {
    constexpr size_t kRows = 1 << 14;
    Data restless, calm{std::vector(kRows, 50.0), std::vector(kRows, 1.0), {}};
    for (size_t row = 0; row < kRows; ++row) restless.first.push_back(row % 2 == 0 ? 1.0 : 99.0);
    restless.second = calm.second;
    const auto picture = [](Data& data) {
      Chart chart(linesOf(data, true));
      chart.resize(600, 400);
      chart.show();
      chart.refresh();
      return chart.canvas().grab().toImage();
    };
    QCOMPARE(picture(restless), picture(calm));
  }

  void decimationLeavesGapsOut() {
    const std::vector<double> values{kNaN, kNaN, 3.0, kNaN, 5.0};
    QList<QPointF> points;
    appendExtremes(
        points, 0, 5, 1, [](int row) { return double(row); },
        [&](int row) { return values[size_t(row)]; });
    QCOMPARE(points, (QList<QPointF>{{2.0, 3.0}, {4.0, 5.0}}));
  }

  void averagingKeepsTheMean() {
    QList<QPointF> points;
    appendMeans(
        points, 0, 4096, bucketSize(4096, 500), [](int row) { return double(row); },
        [](int row) { return row % 2; });
    QVERIFY(points.size() <= 500 && points.size() > 100);
    for (const QPointF& point : points) QCOMPARE(point.y(), 0.5);
  }

  // Growing step by step ends where starting anew does, and looks at every row only a few times.
  void growingPointsAreTheSameAsAllAtOnce() {
    const auto x = [](int row) { return double(row); };
    int looks = 0;
    const auto y = [&](int row) {
      ++looks;
      return std::sin(0.1 * row) + (row == 777 ? 100.0 : 0.0);
    };
    const auto append = [&](QList<QPointF>& points, int first, int last, int size) {
      appendExtremes(points, first, last, size, x, y);
    };
    GrowingPoints growing;
    for (int rows = 1; rows <= 20000; rows += 7) {
      const QList<QPointF> grown = growing.upTo(rows, 500, append);
      if (rows % 1000 > 6) continue;
      QList<QPointF> anew;
      appendExtremes(anew, 0, rows, bucketSize(rows, 500), x, y);
      QCOMPARE(grown, anew);
    }
    // All rows anew each time would be 28 million.
    QVERIFY2(looks < 1000000, qPrintable(QString::number(looks)));
  }

  // A chart that was hidden while one run ended and a longer one went on shows the new one's
  // values.
  void aLongerRunBehindItsBackIsNoticed() {
    Data data = ramp(10);
    int run = 1;
    LinesSpec spec = linesOf(data);
    spec.run = [&run] { return run; };
    Chart chart(spec);
    show(chart);
    wheel(chart, centreOf(chart), 2);
    chart.hide();
    data = ramp(20);
    for (double& value : data.first) value = 3.0;
    run = 2;
    chart.show();
    QVERIFY(!chart.isZoomed());
    Chart fresh(linesOf(data));
    show(fresh);
    QTest::mouseMove(&chart, {1, 1});
    QTest::mouseMove(&fresh, {1, 1});
    QCOMPARE(chart.canvas().grab().toImage(), fresh.canvas().grab().toImage());
  }

  void rangesAreRoundAndCalm() {
    QCOMPARE(niceRange(7.3, 4), (NiceRange{8.0, 2.0}));
    QCOMPARE(niceRange(100.0, 5), (NiceRange{100.0, 20.0}));
    QCOMPARE(niceExtent(51.0), 100.0);
    QCOMPARE(niceStep(0.03), 0.05);
    QCOMPARE(decimalsFor(0.25), 2);
    QCOMPARE(decimalsFor(20.0), 0);
    CalmRange range;
    QVERIFY(range.update(9.0, 5));
    const double end = range.range().end;
    QVERIFY(end >= 9.0);
    QVERIFY(!range.update(end, 5));        // fits
    QVERIFY(!range.update(0.5 * end, 5));  // more than half is used
    QVERIFY(range.update(1.01 * end, 5));  // too large
    QVERIFY(range.update(0.2 * end, 5));   // lost in the corner
  }

  void tableModelsAreSound() {
    Data data = ramp(3);
    ChartTableModel model(tableOf(linesOf(data)));
    QAbstractItemModelTester tester(&model, QAbstractItemModelTester::FailureReportingMode::QtTest);
    QCOMPARE(model.rowCount(), 3);
    QCOMPARE(model.columnCount(), 4);
    QCOMPARE(model.headerData(1, Qt::Horizontal, Qt::DisplayRole).toString(), "One (ms)");
    QCOMPARE(model.data(model.index(2, 1), Qt::EditRole).toDouble(), 3.0);
    QVERIFY(!model.data(model.index(0, 3), Qt::EditRole).isValid());  // no level
    data = ramp(10);
    data.level = 2.5;
    model.refresh();
    QCOMPARE(model.rowCount(), 10);
    QCOMPARE(model.data(model.index(9, 3), Qt::EditRole).toDouble(), 2.5);
    data = ramp(2);  // a new run: the model may be asked before it is refreshed
    QVERIFY(!model.data(model.index(9, 1), Qt::DisplayRole).isValid());
    model.refresh();
    QCOMPARE(model.rowCount(), 2);

    std::vector<std::pair<double, double>> bars{{3.0, 1.0}};
    ChartTableModel barModel(tableOf(barsOf(bars)));
    QAbstractItemModelTester barTester(&barModel,
                                       QAbstractItemModelTester::FailureReportingMode::QtTest);
    bars.push_back({5.0, 2.0});
    barModel.refresh();
    QCOMPARE(barModel.data(barModel.index(1, 2), Qt::EditRole).toDouble(), 2.0);
  }

  void legendClickHidesASeries() {
    Data data = ramp(5);
    Chart chart(linesOf(data));
    show(chart);
    QAbstractButton* two = nullptr;
    for (QAbstractButton* button : chart.findChildren<QAbstractButton*>())
      if (button->accessibleName().startsWith("Two")) two = button;
    QVERIFY(two);
    QTest::mouseClick(two, Qt::LeftButton);
    QVERIFY(chart.isSeriesHidden(1));
    QVERIFY(!chart.isSeriesHidden(0));
    QVERIFY(!chart.exported(ExportFormat::Csv).contains("Two"));
    QTest::keyClick(two, Qt::Key_Space);
    QVERIFY(!chart.isSeriesHidden(1));
  }

  void zoomStaysWhileDataArrive() {
    Data data = ramp(100);
    Chart chart(linesOf(data));
    show(chart);
    QVERIFY(!chart.isZoomed());
    wheel(chart, centreOf(chart), 3);
    QVERIFY(chart.isZoomed());
    const auto rows = chart.canvas().plot().visibleRows();
    QVERIFY(rows.first > 0 && rows.second < 100);
    const QByteArray csv = chart.exported(ExportFormat::Csv);
    QCOMPARE(int(csv.count("\r\n")), rows.second - rows.first + 1);

    for (int i = 0; i < 400; ++i) {
      data.first.push_back(1000.0);
      data.second.push_back(1000.0);
      if (i % 50 == 0) chart.refresh();
    }
    chart.refresh();
    QVERIFY(chart.isZoomed());
    QCOMPARE(chart.canvas().plot().visibleRows(), rows);

    QTest::mouseDClick(chart.canvas().viewport(), Qt::LeftButton, {}, centreOf(chart));
    QVERIFY(!chart.isZoomed());
    QCOMPARE(chart.canvas().plot().visibleRows(), (std::pair<int, int>{0, 500}));
  }

  void draggingZoomsToWhatIsMarked() {
    Data data = ramp(100);
    Chart chart(linesOf(data));
    show(chart);
    const QRectF plot = chart.canvas().plotArea();
    const QPoint from = plot.center().toPoint();
    const QPoint to = QPointF(plot.right() - 5.0, plot.top() + 5.0).toPoint();
    QWidget* viewport = chart.canvas().viewport();
    QTest::mousePress(viewport, Qt::LeftButton, {}, from);
    QMouseEvent move(QEvent::MouseMove, to, viewport->mapToGlobal(to), Qt::NoButton, Qt::LeftButton,
                     Qt::NoModifier);
    QApplication::sendEvent(viewport, &move);
    QTest::mouseRelease(viewport, Qt::LeftButton, {}, to);
    QVERIFY(chart.isZoomed());
    const auto rows = chart.canvas().plot().visibleRows();
    QVERIFY2(rows.first >= 47 && rows.first <= 52, qPrintable(QString::number(rows.first)));
    QTest::keyClick(&chart.canvas(), Qt::Key_0);
    QVERIFY(!chart.isZoomed());
  }

  // A new run is not looked at through the old one's zoom.
  void aNewRunResetsTheZoom() {
    Data data = ramp(100);
    Chart chart(linesOf(data));
    show(chart);
    wheel(chart, centreOf(chart), 3);
    QVERIFY(chart.isZoomed());
    data = ramp(5);
    chart.refresh();
    QVERIFY(!chart.isZoomed());
  }

  void clicksOnNothingAreSafe() {  // QTBUG-118669
    Data data;
    Chart empty(linesOf(data));
    show(empty);
    std::vector<std::pair<double, double>> bars{{3.0, 1.0}, {2.0, 2.0}};
    Chart chart(barsOf(bars));
    show(chart);
    for (Chart* each : {&empty, &chart}) {
      QWidget* viewport = each->canvas().viewport();
      for (const QPoint& at : {QPoint(1, 1), viewport->rect().center(),
                               QPoint(viewport->width() - 2, viewport->height() - 2)}) {
        QTest::mouseMove(viewport, at);
        QTest::mouseClick(viewport, Qt::LeftButton, {}, at);
        QTest::mouseClick(viewport, Qt::MiddleButton, {}, at);
        QTest::mouseDClick(viewport, Qt::LeftButton, {}, at);
        wheel(*each, at, -2);
      }
    }
    QVERIFY(!empty.isZoomed());
    QVERIFY(!chart.isZoomed());  // cannot zoom out beyond everything
  }

  void readsOutTheValuesUnderTheCursor() {
    Data data{{10, 20, 30}, {1, 2, kNaN}, {}};
    Chart chart(linesOf(data));
    show(chart);
    const Plot& plot = chart.canvas().plot();
    const auto out = plot.readOutAt(2.2);
    QVERIFY(out);
    QCOMPARE(*out->x, 2.0);
    QCOMPARE(out->rows.size(), 2);
    QVERIFY(out->rows[0].value.startsWith("20"));
    QCOMPARE(plot.readOutAt(99.0)->rows.size(), 1);  // no value, no row
    QVERIFY(!plot.readOut({-5.0, -5.0}));
  }

  void logarithmicAxisCanBeTurnedOnAndOff() {
    Data data{{0.0, 10, 1000}, {0.5, 2, 3}, 5.0};
    Chart chart(linesOf(data));
    show(chart);
    chart.setLogarithmic(true);
    QVERIFY(chart.canvas().plot().isLogarithmic());
    QVERIFY(!chart.exported(ExportFormat::Png).isEmpty());
    chart.refresh();
    chart.setLogarithmic(false);
    QVERIFY(!chart.canvas().plot().isLogarithmic());
    chart.refresh();
    QVERIFY(chart.canvas().plot().readOutAt(1.0));
  }

  void picturesAreValid_data() {
    QTest::addColumn<bool>("bars");
    QTest::addColumn<bool>("empty");
    QTest::newRow("lines") << false << false;
    QTest::newRow("bars") << true << false;
    QTest::newRow("empty") << false << true;
  }
  void picturesAreValid() {
    QFETCH(bool, bars);
    QFETCH(bool, empty);
    Data data = ramp(empty ? 0 : 50);
    std::vector<std::pair<double, double>> barData{{3.0, 1.0}, {2.0, 2.0}};
    std::unique_ptr<Chart> chart(bars ? new Chart(barsOf(barData))
                                      : new Chart(linesOf(data, true)));
    chart->setEmptyText("Press Run");
    QTemporaryDir folder;
    const auto write = [&](ExportFormat format) {
      const QString path = folder.filePath("chart." + suffixOf(format));
      const QString problem = chart->exportTo(path, format);  // never shown: works all the same
      if (!problem.isEmpty()) qWarning() << problem;
      return path;
    };
    const QImage image(write(ExportFormat::Png));
    QCOMPARE(image.size(), QSize(1920, 1080));
    QSet<QRgb> colors;
    for (int y = 0; y < image.height(); y += 3)
      for (int x = 0; x < image.width(); x += 3) colors.insert(image.pixel(x, y));
    QVERIFY(colors.contains(Theme::instance().color(Ink::Card).rgb()));
    QVERIFY(colors.size() > 10);  // text and marks, with smooth edges

    QSvgRenderer svg(write(ExportFormat::Svg));
    QVERIFY(svg.isValid());
    QCOMPARE(svg.viewBoxF().size(), QSizeF(960, 540));
    QFile svgFile(folder.filePath("chart.svg"));
    QVERIFY(svgFile.open(QIODevice::ReadOnly));
    QVERIFY(!svgFile.readAll().contains("<image"));  // vectors only

    QFile pdf(write(ExportFormat::Pdf));
    QVERIFY(pdf.open(QIODevice::ReadOnly));
    const QByteArray bytes = pdf.readAll();
    QVERIFY(bytes.startsWith("%PDF-"));
    QVERIFY(bytes.trimmed().endsWith("%%EOF"));
    QVERIFY(!bytes.contains("/Subtype /Image"));
  }

  void csvHasTheNumbersThemselves() {
    Data data{{0.1, 1.0 / 3.0, 1e-300}, {2.0, kNaN, 12345678.9}, 1.5};
    Chart chart(linesOf(data));
    const QList<QByteArray> lines = chart.exported(ExportFormat::Csv).split('\n');
    QCOMPARE(lines[0], "Step,One (ms),\"Two, \"\"quoted\"\" (ms)\",Level (ms)\r");
    for (int row = 0; row < 3; ++row) {
      const QList<QByteArray> fields = lines[row + 1].trimmed().split(',');
      QCOMPARE(fields.size(), 4);
      QCOMPARE(fields[0].toInt(), row + 1);
      // Equal to the last bit.
      QVERIFY(fields[1].toDouble() == data.first[size_t(row)]);
      if (std::isnan(data.second[size_t(row)]))
        QVERIFY(fields[2].isEmpty());
      else
        QVERIFY(fields[2].toDouble() == data.second[size_t(row)]);
      QVERIFY(fields[3].toDouble() == 1.5);
    }
  }

  void aFileThatCannotBeWrittenIsReported() {
    Data data = ramp(3);
    Chart chart(linesOf(data));
    const QString problem = chart.exportTo("/no/such/folder/chart.csv", ExportFormat::Csv);
    QVERIFY(problem.contains("/no/such/folder/chart.csv"));
  }

  void tableTwinCanBeShown() {
    Data data = ramp(3);
    Chart chart(linesOf(data));
    show(chart);
    data = ramp(8);
    chart.setTableShown(true);
    QVERIFY(chart.isTableShown());
    QCOMPARE(chart.tableModel().rowCount(), 8);
    data = ramp(9);
    chart.refresh();
    QCOMPARE(chart.tableModel().rowCount(), 9);
    chart.setTableShown(false);
    QVERIFY(!chart.isTableShown());
  }

  void followsTheTheme() {
    Data data = ramp(30);
    Chart chart(linesOf(data, true));
    show(chart);
    const auto hasColor = [&](bool dark) {
      const QImage image = chart.grab().toImage();
      const QRgb wanted = Theme::color(Ink::Compute, dark).rgb();
      for (int y = 0; y < image.height(); ++y)
        for (int x = 0; x < image.width(); ++x)
          if (image.pixel(x, y) == wanted) return true;
      return false;
    };
    QVERIFY(hasColor(false));
    Theme::instance().apply(Scheme::Dark);
    QVERIFY(hasColor(true));
    QVERIFY(!hasColor(false));
    Theme::instance().apply(Scheme::Light);
    QVERIFY(hasColor(false));
  }

  void saysWhatItIs() {
    Data data;
    LinesSpec spec = linesOf(data);
    spec.description = "What it shows";
    Chart chart(spec);
    QCOMPARE(chart.accessibleName(), "Times");
    QCOMPARE(chart.accessibleDescription(), "What it shows");
    for (const QAbstractButton* button : chart.findChildren<QAbstractButton*>())
      if (!qobject_cast<const QAbstractItemView*>(button->parentWidget()))
        QVERIFY2(!button->accessibleName().isEmpty() || !button->text().isEmpty(),
                 button->metaObject()->className());
  }
};

QTEST_MAIN(ChartTest)
#include "chart_test.moc"
