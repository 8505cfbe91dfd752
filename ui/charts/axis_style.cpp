#include "ui/charts/axis_style.h"

#include <QChart>
#include <QFontMetricsF>
#include <QLogValueAxis>
#include <QValueAxis>
#include <algorithm>

#include "ui/charts/chart_spec.h"
#include "ui/charts/nice_range.h"
#include "ui/theme/theme.h"

namespace convoy::ui {

void styleChart(QChart& chart) {
  const Theme& theme = Theme::instance();
  chart.setBackgroundBrush(theme.color(Ink::Card));
  chart.setBackgroundPen(Qt::NoPen);
  chart.setBackgroundRoundness(0.0);
  chart.setPlotAreaBackgroundVisible(false);
  chart.setDropShadowEnabled(false);  // a shadow turns PDF export into pixels
}

void styleAxis(QAbstractAxis& axis, GridLines grid) {
  const Theme& theme = Theme::instance();
  axis.setLabelsFont(theme.font(TextStyle::Small));
  axis.setTruncateLabels(false);
  axis.setLabelsColor(theme.color(Ink::MutedText));
  axis.setTitleFont(theme.font(TextStyle::Small));
  axis.setTitleBrush(theme.color(Ink::MutedText));
  axis.setGridLinePen(QPen(theme.color(Ink::Grid), 1.0));
  axis.setGridLineVisible(grid == GridLines::Shown);
  axis.setMinorGridLineVisible(false);
  axis.setLineVisible(false);
}

void fitTitle(QAbstractAxis& axis, const AxisSpec& spec, const QSizeF& chart) {
  // What the other axis and the margins take of a chart's side, about.
  constexpr double kBeside = 48.0, kBelow = 72.0;
  constexpr double kLow = 140.0;
  const bool upright = axis.orientation() == Qt::Vertical;
  const double room = upright ? chart.height() - kBelow : chart.width() - kBeside;
  const QString label = spec.label();
  QString title = label;
  if (!upright && chart.height() < kLow)
    title.clear();
  else if (QFontMetricsF(axis.titleFont()).horizontalAdvance(label) > room)
    title = spec.unit;
  if (axis.titleText() != title) axis.setTitleText(title);
}

void setRange(QValueAxis& axis, double min, double max, double step) {
  // The axis lays its ticks out after every call: never let a small step meet a wide range.
  axis.setTickType(QValueAxis::TicksDynamic);
  axis.setTickAnchor(0.0);
  if (step > axis.tickInterval()) axis.setTickInterval(step);
  if (axis.min() != min || axis.max() != max) axis.setRange(min, max);
  if (axis.tickInterval() != step) axis.setTickInterval(step);
  const QString format = QStringLiteral("%.") + QString::number(decimalsFor(step)) + 'f';
  if (axis.labelFormat() != format) axis.setLabelFormat(format);
}

void setRange(QLogValueAxis& axis, double min, double max) {
  if (axis.min() != min || axis.max() != max) axis.setRange(min, max);
  const QString format =
      QStringLiteral("%.") + QString::number(decimalsFor(std::min(1.0, min))) + 'f';
  if (axis.labelFormat() != format) axis.setLabelFormat(format);
}

int ticksAcross(double pixels) {
  return std::clamp(int(pixels / 56.0), 2, 10);
}

int ticksUp(double pixels) {
  return std::clamp(int(pixels / 28.0), 2, 8);
}

}  // namespace convoy::ui
