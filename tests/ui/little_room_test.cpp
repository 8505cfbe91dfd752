// What is shown where there is little room: less, but nothing cut or on top of something else.
#include <QFontMetricsF>
#include <QImage>
#include <QPainter>
#include <QScrollBar>
#include <QTest>
#include <QVBoxLayout>

#include "tests/ui/chart_samples.h"
#include "ui/charts/chart_canvas.h"
#include "ui/charts/line_plot.h"
#include "ui/column_area.h"
#include "ui/live/tile.h"
#include "ui/setup/device_delegate.h"

using namespace convoy::ui;

class LittleRoomTest : public QObject {
  Q_OBJECT

 private slots:
  void initTestCase() { Theme::instance().apply(Scheme::Light); }

  void manyDevicesGetALineEach() {
    std::vector<std::pair<double, double>> data(10, {1.0, 2.0});
    Chart chart(barsOf(data));
    show(chart, {320, 120});
    chart.refresh();
    chart.resize(320, chart.minimumSizeHint().height());
    QTRY_VERIFY(chart.canvas().height() >= chart.canvas().minimumHeight());
    const double line = QFontMetricsF(Theme::instance().font(TextStyle::Small)).height();
    QVERIFY2(chart.canvas().plotArea().height() >= 10 * line - 1.0,
             qPrintable(QString::number(chart.canvas().plotArea().height())));
    data.resize(2);
    chart.refresh();
    QVERIFY(chart.canvas().minimumHeight() < 10 * line);
  }

  // What needs more height while it is shown makes its page scroll.
  void anAreaFollowsItsContent() {
    auto* content = new QWidget;
    auto* column = new QVBoxLayout(content);
    auto* high = new QWidget;
    column->addWidget(high);
    ColumnArea area(nullptr, content);
    area.resize(300, 200);
    area.show();
    QVERIFY(QTest::qWaitForWindowExposed(&area));
    QCOMPARE(content->height(), area.viewport()->height());
    high->setMinimumHeight(500);
    QTRY_VERIFY(content->height() > 500);
    QVERIFY(area.verticalScrollBar()->maximum() > 0);
    high->setMinimumHeight(50);
    QTRY_COMPARE(area.verticalScrollBar()->maximum(), 0);
  }

  void namesOfLevelsStayApart_data() {
    QTest::addColumn<QList<double>>("levels");
    QTest::newRow("close") << QList<double>{1.0, 1.0, 1.06};
    QTest::newRow("equal") << QList<double>{1.0, 1.0, 1.0};
    QTest::newRow("at the top") << QList<double>{5.0, 4.9, 4.8};
    QTest::newRow("far") << QList<double>{1.0, 3.0, 5.0};
  }
  void namesOfLevelsStayApart() {
    QFETCH(QList<double>, levels);
    Data data = ramp(5);
    LinesSpec spec = linesOf(data);
    spec.references.clear();
    for (const double level : levels)
      spec.references.push_back(
          {"A level", Ink::Limit, {}, [level] { return std::optional(level); }});
    Chart chart(spec);
    show(chart, {560, 340});
    chart.refresh();
    const auto& plot = dynamic_cast<const LinePlot&>(chart.canvas().plot());
    QImage image(chart.size(), QImage::Format_RGB32);
    QPainter painter(&image);
    const QList<QRectF> labels = plot.paintLevels(painter, {});
    QCOMPARE(labels.size(), levels.size());
    for (qsizetype i = 0; i < labels.size(); ++i)
      for (qsizetype j = 0; j < i; ++j)
        QVERIFY2(!labels[i].intersects(labels[j]), qPrintable(QString("%1 %2").arg(i).arg(j)));
  }

  void factsAreWholeOrLeftOut() {
    const QFontMetrics metrics(Theme::instance().font(TextStyle::Small));
    const QString facts = QStringLiteral("CPU · 1 core · 25.3 GB");
    const auto shown = [&](const QString& that) {
      return DeviceDelegate::factsThatFit(facts, metrics, metrics.horizontalAdvance(that));
    };
    QCOMPARE(shown(facts), facts);
    QCOMPARE(shown(QStringLiteral("CPU · 1 core · 25")), QStringLiteral("CPU · 1 core"));
    QCOMPARE(shown(QStringLiteral("CPU · 1 cor")), QStringLiteral("CPU"));
    QCOMPARE(shown(QStringLiteral("C")), QString());
    QCOMPARE(DeviceDelegate::factsThatFit(facts, metrics, -3), QString());  // all is the badge's
  }

  void aNarrowTileHasAShorterName() {
    Tile tile(QStringLiteral("Step time"));
    tile.setName(QStringLiteral("Virtual step time"), QStringLiteral("Virtual step"));
    tile.resize(300, 70);
    const QImage wide = tile.grab().toImage();
    tile.resize(tile.minimumSizeHint());
    const QImage narrow = tile.grab().toImage();
    tile.setName(QStringLiteral("Virtual step"));
    QCOMPARE(tile.grab().toImage(), narrow);
    tile.resize(300, 70);
    QVERIFY(tile.grab().toImage() != wide);
  }
};

QTEST_MAIN(LittleRoomTest)
#include "little_room_test.moc"
