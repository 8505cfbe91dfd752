// Logarithmic axes, marks and markers of line charts.
#include <QGraphicsTextItem>
#include <QImage>
#include <QLocale>
#include <QTest>
#include <cmath>
#include <map>

#include "tests/ui/chart_samples.h"
#include "ui/charts/chart_canvas.h"
#include "ui/charts/nice_range.h"

using namespace convoy::ui;

namespace {

// A line over x = 1, 10, ... 10,000 and one single value at 100.
struct Curve {
  std::vector<double> x{1.0, 10.0, 100.0, 1000.0, 10'000.0};
  std::vector<double> line{5.0, 4.0, 3.0, 2.0, 1.0};
  std::vector<double> single{kNaN, kNaN, 4.0, kNaN, kNaN};
  std::optional<double> mark;
  int revision = 0;
};

LinesSpec specOf(Curve& data) {
  LinesSpec spec;
  spec.title = "Curve";
  spec.x = {"Bandwidth", "Mb/s", {}, false, true};
  spec.left = {"Time", "ms", {}, true};
  spec.rows = [&data] { return int(data.x.size()); };
  spec.xAt = [&data](int row) { return data.x[size_t(row)]; };
  spec.revision = [&data] { return data.revision; };
  LineSeries line{"Line", Ink::MethodBest, [&data](int row) { return data.line[size_t(row)]; }};
  LineSeries single{"Measured", Ink::Text, [&data](int row) { return data.single[size_t(row)]; }};
  single.markers = true;
  spec.series = {line, single};
  spec.marks = {{"here", Ink::Limit, {}, [&data] { return data.mark; }}};
  return spec;
}

// The numbers below the plot, from the left.
std::map<double, const QGraphicsTextItem*> tickLabels(Chart& chart) {
  std::map<double, const QGraphicsTextItem*> labels;
  const QRectF plot = chart.canvas().plotArea();
  for (const QGraphicsItem* item : chart.canvas().scene()->items()) {
    const auto* text = qgraphicsitem_cast<const QGraphicsTextItem*>(item);
    if (!text || !text->isVisible() || text->toPlainText().isEmpty()) continue;
    const QRectF place = text->sceneBoundingRect();
    const QPointF middle = place.center();
    if (middle.y() < plot.bottom() || middle.x() < plot.left() - 3.0 ||
        !text->toPlainText()[0].isDigit())
      continue;
    labels[middle.x()] = text;
  }
  return labels;
}

QImage pictureOf(Chart& chart) {
  return chart.canvas().grab().toImage();
}

}  // namespace

class ChartAxisTest : public QObject {
  Q_OBJECT

 private slots:
  void factorsAndPartsKeepTheirDigits() {
    for (const auto& [value, text] :
         {std::pair{2.468, "2.47x"}, std::pair{0.177, "0.18x"}, std::pair{0.0994, "0.099x"},
          std::pair{0.0996, "0.10x"}, std::pair{123.4, "123x"}, std::pair{1.0, "1.00x"}})
      QCOMPARE(timesText(value), text);
    for (const auto& [value, text] : {std::pair{0.57, "57"}, std::pair{0.004, "0.4"},
                                      std::pair{0.0, "0"}, std::pair{0.0096, "1"}})
      QCOMPARE(percentText(value), text);
    QCOMPARE(signedPercent(0.02), "+2 %");
    QCOMPARE(signedPercent(-0.13), "−13 %");
    for (const double none : {0.004, -0.004, 0.0}) QCOMPARE(signedPercent(none), "0 %");
  }

  void initTestCase() {
    QLocale::setDefault(QLocale(QLocale::English, QLocale::UnitedStates));
    Theme::instance().apply(Scheme::Light);
  }

  void decadesAreEquallyWide() {
    Curve data;
    Chart chart(specOf(data));
    show(chart);
    const Plot& plot = chart.canvas().plot();
    std::vector<qreal> places;
    for (const double x : data.x) places.push_back(plot.positionOf(x).value());
    for (size_t i = 1; i < places.size(); ++i)
      QVERIFY(std::abs((places[i] - places[i - 1]) - (places[1] - places[0])) < 0.5);
    QVERIFY(!plot.positionOf(0.5));
    // The nearest value is the one that looks nearest.
    QCOMPARE(plot.readOutAt(40.0)->x, std::optional(100.0));
    QCOMPARE(plot.readOutAt(25.0)->x, std::optional(10.0));
    QVERIFY(plot.readOutAt(100.0)->title.contains("100 Mb/s"));
  }

  void everyTickLabelIsWhole() {
    Curve data;
    data.x.push_back(100'000.0);
    data.line.push_back(0.5);
    data.single.push_back(kNaN);
    QFETCH(int, width);
    Chart chart(specOf(data));
    show(chart, {width, 260});
    QStringList labels;
    double last = -1e9;
    for (const auto& [left, item] : tickLabels(chart)) {
      labels.append(item->toPlainText());
      const QRectF place = item->sceneBoundingRect();
      QVERIFY2(chart.canvas().sceneRect().contains(place), qPrintable(labels.join(' ')));
      const QRectF ink = place.adjusted(4.0, 0.0, -4.0, 0.0);  // a text item has margins
      QVERIFY2(ink.left() > last, qPrintable(labels.join(' ')));
      last = ink.right();
    }
    const QStringList decades{"1", "10", "100", "1,000", "10,000", "100,000"};
    const bool some = labels == decades || labels == QStringList{"1", "100", "10,000"} ||
                      labels == QStringList{"1", "1,000"};
    QVERIFY2(some, qPrintable(labels.join(' ')));
    if (width >= 600) QCOMPARE(labels, decades);
  }
  void everyTickLabelIsWhole_data() {
    QTest::addColumn<int>("width");
    for (const int width : {180, 240, 300, 315, 340, 400, 600, 900})
      QTest::addRow("%d", width) << width;
  }

  void stepsAreCounted() {
    Data data = ramp(10);
    Chart chart(linesOf(data));
    show(chart, {320, 260});
    QStringList labels;
    for (const auto& [left, item] : tickLabels(chart)) labels.append(item->toPlainText());
    QCOMPARE(labels, (QStringList{"0", "5", "10"}));  // not 2.5
  }

  void zoomingKeepsToTheAxis() {
    Curve data;
    Chart chart(specOf(data));
    show(chart);
    Plot& plot = chart.canvas().plot();
    QRectF part = chart.canvas().plotArea();
    part.setLeft(plot.positionOf(10.0).value());
    part.setRight(plot.positionOf(2000.0).value());
    plot.zoomTo(part);
    QVERIFY(plot.isZoomed());
    QVERIFY(!plot.positionOf(5.0));
    QVERIFY(plot.positionOf(100.0));
    const auto [first, last] = plot.visibleRows();
    QCOMPARE(first, 1);
    QCOMPARE(last, 4);
    // New values of the same picture leave it where it is.
    data.line = {1.0, 2.0, 3.0, 4.0, 5.0};
    ++data.revision;
    chart.refresh();
    QVERIFY(plot.isZoomed());
    QCOMPARE(plot.readOutAt(1000.0)->rows[0].value, QString("4.00 ms"));
  }

  void newValuesAreDrawn() {
    Curve data;
    Chart chart(specOf(data));
    show(chart);
    const QImage before = pictureOf(chart);
    data.line = {1.0, 5.0, 1.0, 5.0, 1.0};
    ++data.revision;
    chart.refresh();
    QVERIFY(pictureOf(chart) != before);
  }

  void marksAndMarkersArePainted() {
    Curve data;
    Chart chart(specOf(data));
    show(chart);
    const QImage without = pictureOf(chart);
    data.mark = 300.0;
    chart.refresh();
    chart.canvas().viewport()->update();
    const QImage marked = pictureOf(chart);
    QVERIFY(marked != without);
    data.mark = 1e9;  // out of sight
    chart.canvas().viewport()->update();
    QCOMPARE(pictureOf(chart), without);
    chart.setSeriesHidden(1, true);
    QVERIFY(pictureOf(chart) != without);
    QVERIFY(chart.exported(ExportFormat::Csv).startsWith("Bandwidth (Mb/s),Line (ms)\r\n"));
  }
};

QTEST_MAIN(ChartAxisTest)
#include "chart_axis_test.moc"
