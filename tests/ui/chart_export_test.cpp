// What a chart writes: pictures, vectors, and the numbers themselves.
#include <QImage>
#include <QSvgRenderer>
#include <QTemporaryDir>
#include <QTest>
#include <cmath>
#include <memory>

#include "tests/ui/chart_samples.h"

using namespace convoy::ui;

class ChartExportTest : public QObject {
  Q_OBJECT

 private slots:
  void initTestCase() { Theme::instance().apply(Scheme::Light); }

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
};

QTEST_MAIN(ChartExportTest)
#include "chart_export_test.moc"
