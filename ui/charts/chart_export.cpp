#include "ui/charts/chart_export.h"

#include <QBuffer>
#include <QCoreApplication>
#include <QImage>
#include <QLocale>
#include <QPageLayout>
#include <QPainter>
#include <QPdfWriter>
#include <QSaveFile>
#include <QSvgGenerator>
#include <charconv>

namespace convoy::ui {
namespace {

constexpr int kPixelRatio = 2;
constexpr int kPixelsPerInch = 96;

QByteArray quoted(QString text) {
  if (text.contains(',') || text.contains('"') || text.contains('\n') || text.contains('\r'))
    text = '"' + text.replace('"', "\"\"") + '"';
  return text.toUtf8();
}

QByteArray field(const QVariant& cell) {
  if (!cell.isValid()) return {};
  if (cell.typeId() != QMetaType::Double) return quoted(cell.toString());
  char text[32];  // the shortest text that reads back to the same value
  const auto end = std::to_chars(text, text + sizeof text, cell.toDouble()).ptr;
  return QByteArray(text, end - text);
}

}  // namespace

QString suffixOf(ExportFormat format) {
  switch (format) {
    case ExportFormat::Png:
      return QStringLiteral("png");
    case ExportFormat::Svg:
      return QStringLiteral("svg");
    case ExportFormat::Pdf:
      return QStringLiteral("pdf");
    case ExportFormat::Csv:
      return QStringLiteral("csv");
  }
  return {};
}

QByteArray pictureOf(ExportFormat format, const QSizeF& size, const QString& title,
                     const std::function<void(QPainter&, const QRectF&)>& paint) {
  QByteArray bytes;
  QBuffer buffer(&bytes);
  buffer.open(QIODevice::WriteOnly);
  const QRectF area(QPointF(), size);
  switch (format) {
    case ExportFormat::Png: {
      QImage image((size * kPixelRatio).toSize(), QImage::Format_ARGB32_Premultiplied);
      image.setDevicePixelRatio(kPixelRatio);
      image.fill(Qt::transparent);
      QPainter painter(&image);
      paint(painter, area);
      painter.end();
      image.save(&buffer, "PNG");
      break;
    }
    case ExportFormat::Svg: {
      QSvgGenerator svg;
      svg.setOutputDevice(&buffer);
      svg.setSize(size.toSize());
      svg.setViewBox(area);
      svg.setResolution(kPixelsPerInch);
      svg.setTitle(title);
      QPainter painter(&svg);
      paint(painter, area);
      break;
    }
    case ExportFormat::Pdf: {
      QPdfWriter pdf(&buffer);
      pdf.setTitle(title);
      pdf.setCreator(QStringLiteral("Convoy"));
      pdf.setResolution(kPixelsPerInch);
      pdf.setPageLayout(QPageLayout(QPageSize(size * 72.0 / kPixelsPerInch, QPageSize::Point),
                                    QPageLayout::Portrait, QMarginsF()));
      QPainter painter(&pdf);
      paint(painter, area);
      break;
    }
    case ExportFormat::Csv:
      Q_ASSERT_X(false, "pictureOf", "CSV is no picture");
      break;
  }
  buffer.close();
  return bytes;
}

QByteArray csvOf(const ChartTable& table, std::pair<int, int> rows, const QList<int>& columns) {
  QByteArray csv;
  const auto writeLine = [&](const auto& fieldAt) {
    for (int i = 0; i < columns.size(); ++i) {
      if (i > 0) csv += ',';
      csv += fieldAt(columns[i]);
    }
    csv += "\r\n";
  };
  writeLine([&](int column) { return quoted(table.headers[column]); });
  for (int row = rows.first; row < rows.second; ++row)
    writeLine([&](int column) { return field(table.cell(row, column)); });
  return csv;
}

QString writeFile(const QString& path, const QByteArray& bytes) {
  QSaveFile file(path);
  if (file.open(QIODevice::WriteOnly) && file.write(bytes) == bytes.size() && file.commit())
    return {};
  return QCoreApplication::translate("Chart", "%1 cannot be written: %2")
      .arg(path, file.errorString());
}

}  // namespace convoy::ui
