#include "ui/charts/chart_canvas.h"

#include <QChart>
#include <QFontMetricsF>
#include <QGraphicsLayout>
#include <QMouseEvent>
#include <QRubberBand>
#include <QWheelEvent>
#include <algorithm>
#include <cmath>

#include "ui/charts/axis_style.h"

namespace convoy::ui {
namespace {

constexpr int kShortestDrag = 8;  // pixels; less is a click
constexpr double kWheelStep = 1.25;
constexpr int kLeastHeight = 110;

}  // namespace

ChartCanvas::ChartCanvas(const MakePlot& makePlot, QWidget* parent)
    : QGraphicsView(parent),
      m_chart(new QChart),
      m_band(new QRubberBand(QRubberBand::Rectangle, this)) {
  setScene(&m_scene);
  m_scene.addItem(m_chart);
  m_chart->legend()->hide();
  m_chart->setAnimationOptions(QChart::NoAnimation);
  m_chart->setLocalizeNumbers(true);
  m_chart->setMargins({0, 0, 0, 0});
  m_plot = makePlot(*m_chart);

  setFrameShape(QFrame::NoFrame);
  setInteractive(false);
  setRenderHint(QPainter::Antialiasing);
  setViewportUpdateMode(QGraphicsView::FullViewportUpdate);
  setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
  setVerticalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
  setFocusPolicy(Qt::StrongFocus);
  setMouseTracking(true);
  viewport()->setMouseTracking(true);
  setMinimumSize(160, kLeastHeight);
  restyle();
}

ChartCanvas::~ChartCanvas() = default;

void ChartCanvas::setEmptyText(const QString& text) {
  m_emptyText = text;
  viewport()->update();
}

void ChartCanvas::refresh() {
  const bool wasZoomed = m_plot->isZoomed();
  m_plot->refresh();
  // Not hidden: a hidden chart does not lay itself out.
  m_chart->setOpacity(m_plot->isEmpty() ? 0.0 : 1.0);
  setMinimumHeight(m_plot->isEmpty()
                       ? kLeastHeight
                       : std::max(kLeastHeight, int(std::ceil(m_plot->leastHeight()))));
  if (wasZoomed != m_plot->isZoomed()) emit zoomChanged(m_plot->isZoomed());
  if (m_pointer) pointAt(m_pointer);  // what lies under it may be another step now
  viewport()->update();
}

void ChartCanvas::restyle() {
  setBackgroundBrush(Theme::instance().color(Ink::Card));
  m_plot->restyle();
  refresh();
}

QRectF ChartCanvas::plotArea() const {
  return m_chart->plotArea();
}

void ChartCanvas::resizeChart(const QSizeF& size) {
  m_scene.setSceneRect({QPointF(), size});
  m_chart->setGeometry({QPointF(), size});
  m_plot->resized();
  // The labels that fit now have another width, which moves the plot area: twice, to be at rest.
  for (int pass = 0; pass < 2; ++pass) {
    m_chart->layout()->invalidate();
    m_chart->layout()->activate();
    m_plot->resized();
  }
}

void ChartCanvas::resizeEvent(QResizeEvent* event) {
  QGraphicsView::resizeEvent(event);
  resizeChart(viewport()->size());
}

void ChartCanvas::showEvent(QShowEvent* event) {
  QGraphicsView::showEvent(event);
  refresh();
}

void ChartCanvas::paint(QPainter& painter, const QRectF& target) {
  const QRectF before = m_chart->geometry();
  resizeChart(target.size());
  painter.save();
  painter.setRenderHint(QPainter::Antialiasing);
  if (m_plot->isEmpty()) {
    paintEmpty(painter, target);
  } else {
    m_scene.render(&painter, target, QRectF(QPointF(), target.size()));
    painter.translate(target.topLeft());
    m_plot->paintOverlay(painter);
  }
  painter.restore();
  if (!before.isEmpty()) resizeChart(before.size());
}

void ChartCanvas::paintEmpty(QPainter& painter, const QRectF& area) const {
  painter.setPen(Theme::instance().color(Ink::MutedText));
  painter.setFont(Theme::instance().font(TextStyle::Body));
  painter.drawText(area.adjusted(16, 8, -16, -8), Qt::AlignCenter | Qt::TextWordWrap, m_emptyText);
}

void ChartCanvas::drawForeground(QPainter* painter, const QRectF&) {
  if (m_plot->isEmpty()) {
    paintEmpty(*painter, sceneRect());
    return;
  }
  m_plot->paintOverlay(*painter);
  if (m_panFrom || m_band->isVisible()) return;

  const std::optional<ReadOut> out =
      m_pointer ? m_plot->readOut(*m_pointer) : std::optional<ReadOut>();
  const std::optional<double> x = out ? out->x : m_sharedX;
  if (x) {
    if (const auto position = m_plot->positionOf(*x)) {
      const QRectF plot = m_chart->plotArea();
      painter->setPen(QPen(Theme::instance().color(Ink::MutedText), 1.0, Qt::DotLine));
      painter->drawLine(QPointF(*position, plot.top()), QPointF(*position, plot.bottom()));
    }
  }
  if (out) paintReadOut(*painter, *out);
}

void ChartCanvas::paintReadOut(QPainter& painter, const ReadOut& out) const {
  const Theme& theme = Theme::instance();
  const QFontMetricsF small(theme.font(TextStyle::Small));
  constexpr qreal kPad = 8.0, kSwatch = 8.0, kGap = 14.0;
  const qreal line = small.height() + 2.0;
  qreal names = 0.0, values = 0.0;
  for (const ReadOut::Row& row : out.rows) {
    names = std::max(names, small.horizontalAdvance(row.name));
    values = std::max(values, small.horizontalAdvance(row.value));
  }
  const qreal limit = sceneRect().width() - 2.0 * kPad;
  names = std::min(names, std::max(0.0, limit - kSwatch - 6.0 - kGap - values));
  const QString title = small.elidedText(out.title, Qt::ElideMiddle, limit);
  const qreal width =
      2.0 * kPad + std::max(kSwatch + 6.0 + names + kGap + values, small.horizontalAdvance(title));
  QRectF panel(0.0, 0.0, width, 2.0 * kPad + line * (1.0 + double(out.rows.size())));
  const QRectF inside = sceneRect();
  panel.moveTopLeft(*m_pointer + QPointF(16.0, 12.0));
  if (panel.right() > inside.right()) panel.moveRight(m_pointer->x() - 12.0);
  if (panel.left() < inside.left()) panel.moveLeft(inside.left());
  if (panel.bottom() > inside.bottom()) panel.moveBottom(inside.bottom());
  if (panel.top() < inside.top()) panel.moveTop(inside.top());

  painter.setPen(QPen(theme.color(Ink::Border), 1.0));
  painter.setBrush(Theme::palette(theme.isDark()).color(QPalette::ToolTipBase));
  painter.drawRoundedRect(panel, 6.0, 6.0);
  QRectF text = panel.adjusted(kPad, kPad, -kPad, -kPad);
  text.setHeight(line);
  painter.setFont(theme.font(TextStyle::Small));
  painter.setPen(theme.color(Ink::MutedText));
  painter.drawText(text, Qt::AlignVCenter, title);
  for (const ReadOut::Row& row : out.rows) {
    text.translate(0.0, line);
    if (row.color.isValid())
      painter.fillRect(QRectF(text.left(), text.center().y() - kSwatch / 2, kSwatch, kSwatch),
                       row.color);
    painter.setPen(theme.color(Ink::Text));
    painter.drawText(text.adjusted(kSwatch + 6.0, 0, 0, 0), Qt::AlignVCenter,
                     small.elidedText(row.name, Qt::ElideMiddle, std::ceil(names)));
    painter.drawText(text, Qt::AlignVCenter | Qt::AlignRight, row.value);
  }
}

void ChartCanvas::setCursor(std::optional<double> x) {
  if (m_sharedX == x) return;
  m_sharedX = x;
  viewport()->update();
}

void ChartCanvas::pointAt(std::optional<QPointF> position) {
  m_pointer = position;
  const std::optional<ReadOut> out = position ? m_plot->readOut(*position) : std::nullopt;
  emit pointed(out ? out->x : std::nullopt);
  viewport()->update();
}

void ChartCanvas::zoomTo(const QRectF& area) {
  m_plot->zoomTo(area);
  emit zoomChanged(m_plot->isZoomed());
  viewport()->update();
}

void ChartCanvas::resetZoom() {
  m_plot->resetZoom();
  emit zoomChanged(false);
  viewport()->update();
}

void ChartCanvas::zoomBy(double factor, std::optional<QPointF> around, bool vertical) {
  const QRectF plot = plotArea();
  const QPointF fixed = around.value_or(plot.center());
  QRectF area = plot;
  if (vertical) {
    area.setTop(fixed.y() - (fixed.y() - plot.top()) / factor);
    area.setBottom(fixed.y() + (plot.bottom() - fixed.y()) / factor);
  } else {
    area.setLeft(fixed.x() - (fixed.x() - plot.left()) / factor);
    area.setRight(fixed.x() + (plot.right() - fixed.x()) / factor);
  }
  zoomTo(area);
}

void ChartCanvas::pan(QPointF by) {
  if (m_plot->isZoomed()) m_plot->zoomTo(plotArea().translated(-by));
  viewport()->update();
}

void ChartCanvas::mousePressEvent(QMouseEvent* event) {
  m_pressed = event->position().toPoint();
  if (m_plot->isEmpty()) return;
  if (event->button() == Qt::MiddleButton) {
    m_panFrom = m_pressed;
    viewport()->setCursor(Qt::ClosedHandCursor);
  }
}

void ChartCanvas::mouseMoveEvent(QMouseEvent* event) {
  const QPoint position = event->position().toPoint();
  if (m_panFrom) {
    pan(position - *m_panFrom);
    m_panFrom = position;
    return;
  }
  const QRect drag = QRect(m_pressed, position).normalized();
  const bool dragging = (event->buttons() & Qt::LeftButton) && !m_plot->isEmpty() &&
                        std::max(drag.width(), drag.height()) > kShortestDrag;
  if (dragging) {
    m_band->setGeometry(drag.intersected(plotArea().toAlignedRect()));
    m_band->show();
  }
  pointAt(mapToScene(position));
}

void ChartCanvas::mouseReleaseEvent(QMouseEvent* event) {
  if (event->button() == Qt::MiddleButton && m_panFrom) {
    m_panFrom.reset();
    viewport()->unsetCursor();
  }
  if (event->button() != Qt::LeftButton || !m_band->isVisible()) return;
  const QRectF marked = m_band->geometry();
  m_band->hide();
  if (marked.width() > kShortestDrag) {
    QRectF area = marked;
    // A flat mark means "these steps", whatever the values.
    if (marked.height() <= kShortestDrag) {
      area.setTop(plotArea().top());
      area.setBottom(plotArea().bottom());
    }
    zoomTo(area);
  }
}

void ChartCanvas::mouseDoubleClickEvent(QMouseEvent*) {
  resetZoom();
}

void ChartCanvas::wheelEvent(QWheelEvent* event) {
  const QPointF position = mapToScene(event->position().toPoint());
  if (m_plot->isEmpty() || !plotArea().contains(position)) {
    event->ignore();
    return;
  }
  const QPoint turn = event->angleDelta();  // Shift and Alt turn a wheel sideways on some systems
  const double notches = (turn.y() != 0 ? turn.y() : turn.x()) / 120.0;
  zoomBy(std::pow(kWheelStep, notches), position, event->modifiers() & Qt::ShiftModifier);
  event->accept();
}

void ChartCanvas::keyPressEvent(QKeyEvent* event) {
  const double step = plotArea().width() / 10.0;
  switch (event->key()) {
    case Qt::Key_Plus:
    case Qt::Key_Equal:
      zoomBy(kWheelStep);
      break;
    case Qt::Key_Minus:
      zoomBy(1.0 / kWheelStep);
      break;
    case Qt::Key_0:
      resetZoom();
      break;
    case Qt::Key_Left:
      pan({step, 0.0});
      break;
    case Qt::Key_Right:
      pan({-step, 0.0});
      break;
    default:
      event->ignore();
  }
}

void ChartCanvas::leaveEvent(QEvent* event) {
  QGraphicsView::leaveEvent(event);
  pointAt(std::nullopt);
}

}  // namespace convoy::ui
