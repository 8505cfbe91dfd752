// The picture of a chart and what the mouse and the keyboard do in it.
//
// Wheel zooms along x (with Shift along y), dragging marks a part to zoom to, the middle button
// drags the picture, a double click shows all again; + - 0 and the arrow keys do the same. A zoomed
// picture stays where it is while data arrive.
//
// Not a QChartView: that one crashes when a click meets no item (QTBUG-118669), and it gives clicks
// to series that need none. Here items never see the mouse.
#pragma once

#include <QGraphicsScene>
#include <QGraphicsView>
#include <functional>
#include <memory>
#include <optional>

#include "ui/charts/plot.h"

class QRubberBand;

namespace convoy::ui {

class ChartCanvas : public QGraphicsView {
  Q_OBJECT

 public:
  using MakePlot = std::function<std::unique_ptr<Plot>(QChart&)>;

  explicit ChartCanvas(const MakePlot& makePlot, QWidget* parent = nullptr);
  ~ChartCanvas() override;

  Plot& plot() { return *m_plot; }
  const Plot& plot() const { return *m_plot; }

  void setEmptyText(const QString& text);
  void refresh();
  void restyle();
  void resetZoom();
  void zoomBy(double factor, std::optional<QPointF> around = std::nullopt, bool vertical = false);
  QRectF plotArea() const;
  // A line at this x, which another chart with the same x is pointing at.
  void setCursor(std::optional<double> x);

  // Draws the picture at any size, without cursor, as vectors where the painter allows.
  void paint(QPainter& painter, const QRectF& target);

  // No more than the least: a layout gives it what others leave.
  QSize sizeHint() const override { return minimumSize(); }

 signals:
  void pointed(std::optional<double> x);
  void zoomChanged(bool zoomed);

 protected:
  void drawForeground(QPainter* painter, const QRectF& rect) override;
  void resizeEvent(QResizeEvent* event) override;
  void showEvent(QShowEvent* event) override;
  void mousePressEvent(QMouseEvent* event) override;
  void mouseMoveEvent(QMouseEvent* event) override;
  void mouseReleaseEvent(QMouseEvent* event) override;
  void mouseDoubleClickEvent(QMouseEvent* event) override;
  void wheelEvent(QWheelEvent* event) override;
  void keyPressEvent(QKeyEvent* event) override;
  void leaveEvent(QEvent* event) override;

 private:
  void resizeChart(const QSizeF& size);
  void pointAt(std::optional<QPointF> position);
  void pan(QPointF by);
  void zoomTo(const QRectF& area);
  void paintEmpty(QPainter& painter, const QRectF& area) const;
  void paintReadOut(QPainter& painter, const ReadOut& out) const;

  QGraphicsScene m_scene;
  QChart* m_chart = nullptr;  // the scene's
  std::unique_ptr<Plot> m_plot;
  QRubberBand* m_band = nullptr;
  QString m_emptyText;
  QPoint m_pressed;
  std::optional<QPoint> m_panFrom;
  std::optional<QPointF> m_pointer;
  std::optional<double> m_sharedX;
};

}  // namespace convoy::ui
