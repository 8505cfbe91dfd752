#include "ui/charts/x_axis.h"

#include <QChart>
#include <QFontMetricsF>
#include <QLocale>
#include <QLogValueAxis>
#include <QValueAxis>
#include <algorithm>
#include <cmath>

#include "ui/charts/axis_style.h"
#include "ui/charts/nice_range.h"

namespace convoy::ui {

XAxis::XAxis(QChart& chart, const AxisSpec& spec) : m_spec(spec) {
  if (spec.logarithmic) {
    m_logarithmic = new QLogValueAxis;
    m_logarithmic->setBase(10.0);
    m_logarithmic->setRange(1.0, 10.0);
  } else {
    m_linear = new QValueAxis;
  }
  chart.addAxis(axis(), Qt::AlignBottom);
}

QAbstractAxis* XAxis::axis() const {
  return m_logarithmic ? static_cast<QAbstractAxis*>(m_logarithmic) : m_linear;
}

void XAxis::restyle() {
  styleAxis(*axis(), GridLines::Hidden);
}

XAxis::Range XAxis::fullRange(double first, double last, double planned) const {
  if (m_logarithmic) {
    if (!(first > 0.0)) return {1.0, 10.0};
    const double min = std::pow(10.0, std::floor(std::log10(first) + 1e-9));
    return {min, std::max(10.0 * min, std::pow(10.0, std::ceil(std::log10(last) - 1e-9)))};
  }
  const double extent = niceExtent(std::max(last, 10.0));
  const double end = planned > 0.0 ? std::max(last, std::min(extent, planned)) : extent;
  return {m_spec.begin, std::max(m_spec.begin + 1.0, end)};
}

XAxis::Range XAxis::range() const {
  if (m_logarithmic) return {m_logarithmic->min(), m_logarithmic->max()};
  return {m_linear->min(), m_linear->max()};
}

void XAxis::setRange(const Range& range, double pixels) {
  if (m_linear) {
    // Steps, devices and pictures are counted: none is the two and a halfth.
    const double step = std::max(1.0, niceStep((range.max - range.min) / ticksAcross(pixels)));
    ui::setRange(*m_linear, range.min, range.max, step == std::floor(step) ? step : 2.0 * step);
    return;
  }
  ui::setRange(*m_logarithmic, range.min, range.max);
  // Qt cuts a label that is wider than the way to the next tick: then only every second or third
  // decade has one.
  constexpr double kBetweenLabels = 10.0;
  const QString longest = QLocale().toString(range.max, 'f', decimalsFor(std::min(1.0, range.min)));
  const double label =
      QFontMetricsF(m_logarithmic->labelsFont()).horizontalAdvance(longest) + kBetweenLabels;
  const double decade = pixels / std::log10(range.max / range.min);
  const double base = std::pow(10.0, std::clamp(std::ceil(label / decade), 1.0, 6.0));
  if (m_logarithmic->base() != base) m_logarithmic->setBase(base);
}

bool XAxis::isTooClose(const Range& range) const {
  return m_logarithmic ? !(range.max > 1.1 * range.min) : !(range.max - range.min > 1.0);
}

double XAxis::fractionOf(double x) const {
  const auto [min, max] = range();
  if (m_logarithmic) return std::log(x / min) / std::log(max / min);
  return (x - min) / (max - min);
}

double XAxis::at(double fraction) const {
  const auto [min, max] = range();
  if (m_logarithmic) return min * std::pow(max / min, fraction);
  return min + fraction * (max - min);
}

}  // namespace convoy::ui
