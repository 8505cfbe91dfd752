// The one chart class: what it draws, what the mouse does to it, and the table that it offers.
#include "ui/charts/chart.h"

#include <QAbstractButton>
#include <QAbstractItemModelTester>
#include <QAbstractItemView>
#include <QImage>
#include <QTest>

#include "tests/ui/chart_samples.h"
#include "ui/charts/chart_canvas.h"
#include "ui/charts/chart_table_model.h"

using namespace convoy::ui;

namespace {

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
