// A chart as a file: pictures of any painting function, and tables as CSV.
#pragma once

#include <QByteArray>
#include <QList>
#include <QRectF>
#include <QString>
#include <functional>
#include <utility>

#include "ui/charts/chart_spec.h"

class QPainter;

namespace convoy::ui {

enum class ExportFormat { Png, Svg, Pdf, Csv };

QString suffixOf(ExportFormat format);  // "png"

// The file's bytes. `size` in device-independent pixels; PNG has twice as many, SVG and PDF are
// vectors.
QByteArray pictureOf(ExportFormat format, const QSizeF& size, const QString& title,
                     const std::function<void(QPainter&, const QRectF&)>& paint);

// RFC 4180 with a dot as decimal sign whatever the locale; numbers read back to the same value; no
// value is an empty field. Rows [first, last), only the named columns.
QByteArray csvOf(const ChartTable& table, std::pair<int, int> rows, const QList<int>& columns);

// Writes all or nothing. Returns what went wrong, empty when nothing did.
QString writeFile(const QString& path, const QByteArray& bytes);

}  // namespace convoy::ui
