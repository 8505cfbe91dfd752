// What fills a chart's frame: the lines or bars with their axes. Known to ui/charts only.
//
// A plot owns the series and axes that it puts into a QChart. Positions are the chart's scene
// coordinates.
#pragma once

#include <QCoreApplication>
#include <QList>
#include <QPainter>
#include <QPointF>
#include <QRectF>
#include <QString>
#include <optional>
#include <utility>

#include "ui/charts/chart_spec.h"

class QChart;

namespace convoy::ui {

struct LegendEntry {
  enum class Swatch { Box, Line, FaintLine, Marker };
  QString name;
  QColor color;
  Swatch swatch = Swatch::Box;
  QList<qreal> dash;
  bool hidden = false;
  bool absent = false;  // nothing to show or to hide: left out of the legend
  bool operator==(const LegendEntry&) const = default;
};

// The values under the cursor.
struct ReadOut {
  struct Row {
    QColor color;
    QString name;
    QString value;
  };
  QString title;
  QList<Row> rows;
  std::optional<double> x;  // of the nearest row; none for bars
};

class Plot {
 public:
  virtual ~Plot() = default;

  virtual bool isEmpty() const = 0;
  virtual void refresh() = 0;  // asks for the data; leaves a zoomed range alone
  virtual void restyle() = 0;  // colours and fonts of the theme
  virtual void resized() {}
  // Below it what is shown cannot be read; 0 where any height will do.
  virtual double leastHeight() const { return 0.0; }

  virtual QList<LegendEntry> legend() const = 0;
  virtual void setHidden(int entry, bool hidden) = 0;
  virtual ChartTable table() const = 0;
  virtual QList<int> visibleColumns() const = 0;        // of the table
  virtual std::pair<int, int> visibleRows() const = 0;  // [first, last) of the table

  // Shows only this part of the plot area; wholly outside parts are refused.
  virtual void zoomTo(const QRectF& area) = 0;
  virtual void resetZoom() = 0;
  virtual bool isZoomed() const = 0;

  virtual bool canBeLogarithmic() const { return false; }
  virtual void setLogarithmic(bool) {}
  virtual bool isLogarithmic() const { return false; }

  virtual std::optional<ReadOut> readOut(QPointF position) const = 0;
  virtual std::optional<ReadOut> readOutAt(double x) const = 0;
  virtual std::optional<qreal> positionOf(double x) const = 0;
  virtual void paintOverlay(QPainter& painter) const { (void)painter; }
};

}  // namespace convoy::ui
