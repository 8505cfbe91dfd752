// What a chart shows, as plain descriptions. A chart owns no data: it asks these functions whenever
// it refreshes, so a long run is never copied. The functions must stay callable as long as the
// chart.
#pragma once

#include <QColor>
#include <QList>
#include <QString>
#include <QStringList>
#include <QVariant>
#include <functional>
#include <optional>
#include <vector>

#include "ui/theme/theme.h"

namespace convoy::ui {

struct AxisSpec {
  QString title;
  QString unit;               // "ms"; written in brackets after the title
  std::optional<double> end;  // fixed upper end
  bool logAllowed = false;    // of an upright axis: people may turn it logarithmic
  // Of a horizontal axis: whole decades instead of zero and up, where all x are positive.
  bool logarithmic = false;
  double begin = 0.0;  // of a horizontal axis that is not logarithmic

  QString label() const { return unit.isEmpty() ? title : title + " (" + unit + ')'; }
};

struct LineSeries {
  enum class Side { Left, Right };

  QString name;
  Ink ink = Ink::Text;
  std::function<double(int row)> value;  // NaN: none
  Side side = Side::Left;
  bool faint = false;  // thin and pale: single values behind their median
  // For running means: where several rows share a pixel, their mean is drawn, not their extremes.
  bool averaged = false;
  QList<qreal> dash = {};  // in pen widths; empty: solid
  bool markers = false;    // single values that no line joins
  int device = -1;         // from 0: drawn in that device's colour and dash
};

// A level to compare with: a horizontal line with its name on it.
struct ReferenceLine {
  QString name;
  Ink ink = Ink::MutedText;
  QList<qreal> dash;
  std::function<std::optional<double>()> value;
};

// A place to know of: an upright line with its name at the top.
struct ReferenceMark {
  QString name;
  Ink ink = Ink::MutedText;
  QList<qreal> dash;
  std::function<std::optional<double>()> x;
};

struct LinesSpec {
  QString title;
  QString description;  // for those who hear the chart instead of seeing it
  AxisSpec x, left;
  std::optional<AxisSpec> right;
  // Areas on top of each other, the first at the bottom. Where several rows share a pixel, their
  // means are drawn.
  bool stacked = false;

  // Rows only come at the end and never change, as long as run() and revision() stay the same. When
  // run() changes, or rows() falls, all are new, and a zoom ends; when revision() changes, the same
  // picture has other values.
  std::function<int()> run;
  std::function<int()> revision;
  std::function<int()> rows;
  std::function<double(int row)> xAt;    // ascending
  std::function<double()> xEnd;          // where x will end at last; 0: unknown
  std::function<int()> firstTypicalRow;  // earlier ones (warm-up) do not stretch the axes
  std::vector<LineSeries> series;
  std::vector<ReferenceLine> references;
  std::vector<ReferenceMark> marks;
};

struct BarCategory {
  QString name;
  QString detail;  // a second, quieter line
  QString brief;   // what is left of it where there is no room
  DeviceStyle style;
};

struct BarSeries {
  QString name;
  Ink ink = Ink::Text;
  std::function<double(int category)> value;
};

// Horizontal stacked bars, the first category on top.
struct BarsSpec {
  QString title;
  QString description;
  AxisSpec category, value;
  std::function<int()> categories;
  std::function<BarCategory(int category)> categoryAt;
  std::vector<BarSeries> series;
};

// The same as a table: the twin of the picture, the CSV file and the read-out agree by
// construction.
struct ChartTable {
  QStringList headers;  // with units
  std::function<int()> rows;
  std::function<QVariant(int row, int column)> cell;  // invalid where there is no value
};
ChartTable tableOf(const LinesSpec& spec);
ChartTable tableOf(const BarsSpec& spec);

}  // namespace convoy::ui
