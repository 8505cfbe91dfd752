// Horizontal stacked bars, one a category.
#pragma once

#include <vector>

#include "ui/charts/nice_range.h"
#include "ui/charts/plot.h"

class QBarCategoryAxis;
class QBarSet;
class QHorizontalStackedBarSeries;
class QValueAxis;

namespace convoy::ui {

class BarPlot : public Plot {
 public:
  BarPlot(QChart& chart, BarsSpec spec);

  bool isEmpty() const override;  // also when all values are zero
  void refresh() override;
  void restyle() override;
  void resized() override { refresh(); }
  double leastHeight() const override;  // a line for each name

  QList<LegendEntry> legend() const override;
  void setHidden(int entry, bool hidden) override;
  ChartTable table() const override { return tableOf(m_spec); }
  QList<int> visibleColumns() const override;
  std::pair<int, int> visibleRows() const override { return {0, m_spec.categories()}; }

  void zoomTo(const QRectF& area) override;
  void resetZoom() override;
  bool isZoomed() const override { return m_zoomed; }

  std::optional<ReadOut> readOut(QPointF position) const override;
  std::optional<ReadOut> readOutAt(double) const override { return std::nullopt; }
  std::optional<qreal> positionOf(double) const override { return std::nullopt; }
  // The categories' names: Qt Charts would cut them off without need.
  void paintOverlay(QPainter& painter) const override;

 private:
  double slotHeight() const;
  // The room that the names need, left of the bars.
  double labelWidth() const;

  QChart& m_chart;
  BarsSpec m_spec;
  QHorizontalStackedBarSeries* m_bars = nullptr;
  std::vector<QBarSet*> m_sets;
  std::vector<bool> m_hidden;
  QBarCategoryAxis* m_categories = nullptr;
  QValueAxis* m_values = nullptr;
  CalmRange m_calm;
  bool m_zoomed = false;
};

}  // namespace convoy::ui
