// Lines or stacked areas over a common x.
#pragma once

#include <memory>
#include <vector>

#include "ui/charts/decimate.h"
#include "ui/charts/nice_range.h"
#include "ui/charts/plot.h"
#include "ui/charts/x_axis.h"

class QAreaSeries;
class QLineSeries;
class QLogValueAxis;
class QValueAxis;

namespace convoy::ui {

class LinePlot : public Plot {
 public:
  LinePlot(QChart& chart, LinesSpec spec);
  ~LinePlot() override;

  bool isEmpty() const override { return m_spec.rows() == 0; }
  void refresh() override;
  void restyle() override;
  void resized() override { refresh(); }

  QList<LegendEntry> legend() const override;
  void setHidden(int entry, bool hidden) override;
  ChartTable table() const override { return tableOf(m_spec); }
  QList<int> visibleColumns() const override;
  std::pair<int, int> visibleRows() const override;

  void zoomTo(const QRectF& area) override;
  void resetZoom() override;
  bool isZoomed() const override { return m_zoomed; }

  bool canBeLogarithmic() const override { return m_spec.left.logAllowed; }
  void setLogarithmic(bool logarithmic) override;
  bool isLogarithmic() const override { return m_logarithmic; }

  std::optional<ReadOut> readOut(QPointF position) const override;
  std::optional<ReadOut> readOutAt(double x) const override;
  std::optional<qreal> positionOf(double x) const override;
  void paintOverlay(QPainter& painter) const override;
  // The levels with their names, which keep away from what is `taken`; returns that and their
  // places.
  QList<QRectF> paintLevels(QPainter& painter, QList<QRectF> taken) const;

 private:
  struct Drawn {
    QLineSeries* line = nullptr;
    QAreaSeries* area = nullptr;  // when stacked
    GrowingPoints all;
    bool hidden = false;
    bool absent = false;  // without any value
  };
  using Range = XAxis::Range;

  void forgetPoints();
  // The first row whose x is not below.
  int rowFrom(double x) const;
  // What is drawn of a series at a row: stacked on those below it.
  double drawnValue(size_t series, int row) const;
  bool onRight(size_t series) const;
  Range leftRange() const;
  void setLeftRange(const Range& range);
  void fitTitles();
  void fitAxes(const std::vector<double>& largest, double smallestPositive);
  QColor inkOf(size_t series) const;
  QList<qreal> dashOf(size_t series) const;
  // Fractions of the plot area's height, 0 at the bottom.
  double leftFraction(double value) const;
  QPointF placeOf(double x, double left) const;       // in the chart's scene
  QList<QRectF> paintMarks(QPainter& painter) const;  // where their names are
  void paintMarkers(QPainter& painter) const;

  QChart& m_chart;
  LinesSpec m_spec;
  std::vector<Drawn> m_drawn;
  XAxis m_x;
  QValueAxis* m_left = nullptr;
  QLogValueAxis* m_leftLog = nullptr;  // takes m_left's place when logarithmic; never both shown
  std::unique_ptr<QLogValueAxis> m_spareLog;
  std::unique_ptr<QValueAxis> m_spareLeft;
  QValueAxis* m_right = nullptr;
  CalmRange m_calmLeft, m_calmRight;
  Range m_full;  // x
  Range m_fullLog{0.1, 10.0};
  int m_run = 0;
  int m_revision = 0;
  int m_rows = 0;  // at the last refresh
  bool m_logarithmic = false;
  bool m_zoomed = false;
};

}  // namespace convoy::ui
