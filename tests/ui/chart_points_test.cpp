// What a chart draws of many values, and the ranges of its axes.
#include <QTest>
#include <algorithm>
#include <cmath>
#include <limits>
#include <random>

#include "ui/charts/decimate.h"
#include "ui/charts/nice_range.h"

using namespace convoy::ui;

class ChartPointsTest : public QObject {
  Q_OBJECT

 private slots:
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

  void decimationLeavesGapsOut() {
    constexpr double kNone = std::numeric_limits<double>::quiet_NaN();
    const std::vector<double> values{kNone, kNone, 3.0, kNone, 5.0};
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
};

QTEST_GUILESS_MAIN(ChartPointsTest)
#include "chart_points_test.moc"
