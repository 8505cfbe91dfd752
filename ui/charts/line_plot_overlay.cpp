// What a line plot says beside its lines: the values under the cursor, the levels and their names.
#include <QChart>
#include <QFontMetricsF>
#include <QLineSeries>
#include <QLocale>
#include <QPen>
#include <algorithm>
#include <cmath>

#include "ui/charts/line_plot.h"

namespace convoy::ui {

std::optional<ReadOut> LinePlot::readOut(QPointF position) const {
  const QRectF plot = m_chart.plotArea();
  if (isEmpty() || !plot.contains(position)) return std::nullopt;
  return readOutAt(m_x.at((position.x() - plot.left()) / plot.width()));
}

namespace {

// "63.1 ms", "1.80x"
QString valueText(double value, const AxisSpec& axis) {
  if (axis.unit == "x") return timesText(value);
  return readable(value) + (axis.unit.isEmpty() ? QString() : ' ' + axis.unit);
}

}  // namespace

std::optional<ReadOut> LinePlot::readOutAt(double x) const {
  const int rows = m_spec.rows();
  if (rows == 0) return std::nullopt;
  int row = std::min(rowFrom(x), rows - 1);
  const auto distance = [&](int other) {
    return std::abs(m_x.fractionOf(m_spec.xAt(other)) - m_x.fractionOf(x));
  };
  if (row > 0 && distance(row - 1) < distance(row)) --row;
  ReadOut out;
  out.x = m_spec.xAt(row);
  out.title = m_spec.x.title + ' ' + QLocale().toString(*out.x, 'g', 10);
  if (!m_spec.x.unit.isEmpty()) out.title += ' ' + m_spec.x.unit;
  double sum = 0.0;
  for (size_t i = 0; i < m_drawn.size(); ++i) {
    if (m_drawn[i].hidden) continue;
    const double value = m_spec.series[i].value(row);
    if (std::isnan(value)) continue;
    sum += value;
    out.rows.append({inkOf(i), m_spec.series[i].name,
                     valueText(value, onRight(i) ? *m_spec.right : m_spec.left)});
  }
  if (m_spec.stacked)
    out.rows.append(
        {QColor(), QCoreApplication::translate("Chart", "Total"), valueText(sum, m_spec.left)});
  return out;
}

std::optional<qreal> LinePlot::positionOf(double x) const {
  const Range range = m_x.range();
  if (isEmpty() || x < range.min || x > range.max) return std::nullopt;
  const QRectF plot = m_chart.plotArea();
  return plot.left() + m_x.fractionOf(x) * plot.width();
}

double LinePlot::leftFraction(double value) const {
  const Range y = leftRange();
  if (m_logarithmic) return std::log10(value / y.min) / std::log10(y.max / y.min);
  return (value - y.min) / (y.max - y.min);
}

QPointF LinePlot::placeOf(double x, double left) const {
  const QRectF plot = m_chart.plotArea();
  return {plot.left() + m_x.fractionOf(x) * plot.width(),
          plot.bottom() - leftFraction(left) * plot.height()};
}

void LinePlot::paintOverlay(QPainter& painter) const {
  if (isEmpty()) return;
  paintLevels(painter, paintMarks(painter));
  paintMarkers(painter);
}

// Upright lines, each with its name beside its upper end, on the side that has room.
QList<QRectF> LinePlot::paintMarks(QPainter& painter) const {
  const Theme& theme = Theme::instance();
  const QRectF plot = m_chart.plotArea();
  const QFont small = theme.font(TextStyle::Small);
  const QFontMetricsF metrics(small);
  painter.setFont(small);
  QList<QRectF> labels;
  qreal top = plot.top();
  for (const ReferenceMark& mark : m_spec.marks) {
    const std::optional<double> x = mark.x();
    const std::optional<qreal> at = x ? positionOf(*x) : std::nullopt;
    if (!at) continue;
    QPen pen(theme.color(mark.ink), 1.4);
    if (!mark.dash.isEmpty()) pen.setDashPattern(mark.dash);
    painter.setPen(pen);
    painter.drawLine(QPointF(*at, plot.top()), QPointF(*at, plot.bottom()));
    QRectF label(*at + 2.0, top, metrics.horizontalAdvance(mark.name) + 8.0, metrics.height());
    const bool crossed =
        std::any_of(m_spec.marks.begin(), m_spec.marks.end(), [&](const ReferenceMark& other) {
          const auto its = other.x() ? positionOf(*other.x()) : std::nullopt;
          return its && label.left() < *its && *its < label.right();
        });
    if (crossed || label.right() > plot.right()) label.moveRight(*at - 2.0);
    painter.fillRect(label, Theme::veil(theme.isDark()));
    painter.drawText(label, Qt::AlignCenter, mark.name);
    labels.append(label);
    top += metrics.height() + 2.0;
  }
  return labels;
}

// Rings, so that the line below can be seen to meet them or not; and what would be a line if it had
// a second point.
void LinePlot::paintMarkers(QPainter& painter) const {
  const QRectF plot = m_chart.plotArea();
  painter.save();
  painter.setRenderHint(QPainter::Antialiasing);
  for (size_t i = 0; i < m_drawn.size(); ++i) {
    if (m_drawn[i].hidden || m_spec.stacked) continue;
    const QList<QPointF> points = m_drawn[i].line->points();
    const bool rings = m_spec.series[i].markers;
    if (!rings && (points.size() != 1 || m_spec.series[i].faint || onRight(i))) continue;
    painter.setPen(QPen(inkOf(i), 2.0));
    painter.setBrush(rings ? Theme::instance().color(Ink::Card) : inkOf(i));
    for (const QPointF& point : points) {
      const QPointF place = placeOf(point.x(), point.y());
      const qreal radius = rings ? 4.5 : 2.5;
      if (plot.adjusted(-1.0, -1.0, 1.0, 1.0).contains(place))
        painter.drawEllipse(place, radius, radius);
    }
  }
  painter.restore();
}

QList<QRectF> LinePlot::paintLevels(QPainter& painter, QList<QRectF> taken) const {
  const Theme& theme = Theme::instance();
  const QRectF plot = m_chart.plotArea();
  const QFont small = theme.font(TextStyle::Small);
  const QFontMetricsF metrics(small);

  struct Level {
    const ReferenceLine* line;
    double value;
    qreal y;
  };
  std::vector<Level> levels;
  for (const ReferenceLine& line : m_spec.references) {
    const std::optional<double> value = line.value();
    if (!value || (m_logarithmic && *value <= 0.0)) continue;
    const double fraction = leftFraction(*value);
    if (fraction < 0.0 || fraction > 1.0) continue;
    levels.push_back({&line, *value, plot.bottom() - fraction * plot.height()});
    QPen pen(theme.color(line.ink), 1.4);
    if (!line.dash.isEmpty()) pen.setDashPattern(line.dash);
    painter.setPen(pen);
    painter.drawLine(QPointF(plot.left(), levels.back().y), QPointF(plot.right(), levels.back().y));
  }

  // Where the main lines run, so that no name hides their end.
  QList<QPointF> data;
  for (size_t i = 0; i < m_drawn.size(); ++i) {
    if (m_drawn[i].hidden || m_spec.series[i].faint || onRight(i)) continue;
    for (const QPointF& point : m_drawn[i].line->points())
      if (const auto x = positionOf(point.x()))
        data.append({*x, placeOf(point.x(), point.y()).y()});
  }

  // A name goes above its line, below it, or to a side of another name: wherever it hides least.
  painter.setFont(small);
  for (const Level& level : levels) {
    const QString text = level.line->name + ' ' + valueText(level.value, m_spec.left);
    QRectF above(0.0, 0.0, metrics.horizontalAdvance(text) + 8.0, metrics.height());
    above.moveBottomRight({plot.right() - 2.0, level.y - 1.0});
    QList<QRectF> places{above, above.translated(0.0, above.height() + 2.0)};
    for (const QRectF& other : std::as_const(taken)) {
      for (const qreal top : {other.top(), above.top()}) {
        QRectF beside = above;
        beside.moveTopRight({other.left() - 8.0, top});
        places.append(beside);
      }
      QRectF stacked = above;
      stacked.moveBottom(other.top());
      places.append(stacked);
      stacked.moveTop(other.bottom());
      places.append(stacked);
    }
    const auto cost = [&](const QRectF& label) {
      // Nearer is better; some lines away it would name another line.
      const double lines = (label.center().y() - level.y) / metrics.height();
      double sum = lines * lines;
      sum += 8 * (label.top() < plot.top() - 4.0 || label.bottom() > plot.bottom());
      sum += 8 * (label.left() < plot.left());
      for (const QRectF& other : std::as_const(taken)) sum += 6 * other.intersects(label);
      for (const Level& other : levels)
        sum += 2 * (label.top() < other.y && other.y < label.bottom());
      const auto inside = [&](QPointF point) { return label.contains(point); };
      return sum + 3 * std::any_of(data.begin(), data.end(), inside);
    };
    const QRectF label =
        *std::min_element(places.begin(), places.end(),
                          [&](const QRectF& a, const QRectF& b) { return cost(a) < cost(b); });
    taken.append(label);
    painter.fillRect(label, Theme::veil(theme.isDark()));
    painter.setPen(theme.color(level.line->ink));
    painter.drawText(label, Qt::AlignCenter, text);
  }
  return taken;
}

}  // namespace convoy::ui
