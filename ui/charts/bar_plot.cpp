#include "ui/charts/bar_plot.h"

#include <QBarCategoryAxis>
#include <QBarSet>
#include <QChart>
#include <QFontMetricsF>
#include <QHorizontalStackedBarSeries>
#include <QPen>
#include <QValueAxis>
#include <algorithm>
#include <cmath>

#include "ui/charts/axis_style.h"

namespace convoy::ui {
namespace {

constexpr double kThickestBar = 26.0;  // pixels
constexpr double kLabelPart = 0.38;    // of the chart's width at most
constexpr double kMarkerWidth = 16.0;
constexpr double kLabelGap = 10.0;  // between names and bars
constexpr double kAxisRoom = 12.0;  // that Qt Charts leaves, at least, for an axis without labels
const QString kBetween = QStringLiteral("  ");

}  // namespace

BarPlot::BarPlot(QChart& chart, BarsSpec spec)
    : m_chart(chart),
      m_spec(std::move(spec)),
      m_bars(new QHorizontalStackedBarSeries),
      m_hidden(m_spec.series.size(), false),
      m_categories(new QBarCategoryAxis),
      m_values(new QValueAxis) {
  for (const BarSeries& series : m_spec.series) {
    m_sets.push_back(new QBarSet(series.name));
    m_bars->append(m_sets.back());
  }
  m_chart.addSeries(m_bars);
  m_chart.addAxis(m_categories, Qt::AlignLeft);
  m_chart.addAxis(m_values, Qt::AlignBottom);
  m_bars->attachAxis(m_categories);
  m_bars->attachAxis(m_values);
  restyle();
}

bool BarPlot::isEmpty() const {
  for (int category = 0; category < m_spec.categories(); ++category)
    for (const BarSeries& series : m_spec.series)
      if (series.value(category) > 0.0) return false;
  return true;
}

void BarPlot::restyle() {
  const Theme& theme = Theme::instance();
  styleChart(m_chart);
  styleAxis(*m_categories, GridLines::Hidden);
  m_categories->setLabelsVisible(false);
  styleAxis(*m_values, GridLines::Shown);
  fitTitle(*m_values, m_spec.value, m_chart.size());
  for (size_t i = 0; i < m_sets.size(); ++i) {
    m_sets[i]->setBrush(theme.color(m_spec.series[i].ink));
    // A seam in the background's colour keeps neighbours apart.
    m_sets[i]->setPen(QPen(theme.color(Ink::Card), 1.0));
  }
}

double BarPlot::slotHeight() const {
  return m_chart.plotArea().height() / std::max(1, m_spec.categories());
}

double BarPlot::leastHeight() const {
  const double axis = m_chart.size().height() - m_chart.plotArea().height();
  return axis +
         m_spec.categories() * QFontMetricsF(Theme::instance().font(TextStyle::Small)).height();
}

double BarPlot::labelWidth() const {
  const QFontMetricsF metrics(Theme::instance().font(TextStyle::Small));
  double widest = 0.0;
  for (int category = 0; category < m_spec.categories(); ++category) {
    const BarCategory what = m_spec.categoryAt(category);
    widest = std::max({widest, metrics.horizontalAdvance(what.name + kBetween + what.brief),
                       metrics.horizontalAdvance(what.detail)});
  }
  return std::min(widest + kMarkerWidth, kLabelPart * m_chart.size().width());
}

void BarPlot::paintOverlay(QPainter& painter) const {
  const Theme& theme = Theme::instance();
  const QFont small = theme.font(TextStyle::Small);
  const QFontMetricsF metrics(small);
  const QRectF plot = m_chart.plotArea();
  const double slot = slotHeight();
  const bool twoLines = slot > 2.3 * metrics.height();
  const double width = labelWidth() - kMarkerWidth;
  painter.setFont(small);
  for (int category = 0; category < m_spec.categories(); ++category) {
    const BarCategory what = m_spec.categoryAt(category);
    const bool detailed = twoLines && !what.detail.isEmpty();
    QRectF line(plot.left() - width - kLabelGap, 0.0, width, metrics.height());
    line.moveTop(plot.top() + (category + 0.5) * slot - metrics.height() * (detailed ? 1.0 : 0.5));
    painter.setPen(what.style.color);
    painter.drawText(line.adjusted(-kMarkerWidth, 0.0, 0.0, 0.0), Qt::AlignVCenter,
                     what.style.glyph);
    const QString brief = detailed || what.brief.isEmpty() ? QString() : kBetween + what.brief;
    const double briefWidth = metrics.horizontalAdvance(brief);
    const QString name = metrics.elidedText(what.name, Qt::ElideMiddle, width - briefWidth);
    painter.setPen(theme.color(Ink::Text));
    painter.drawText(line, Qt::AlignVCenter, name);
    painter.setPen(theme.color(Ink::MutedText));
    painter.drawText(line.adjusted(metrics.horizontalAdvance(name), 0.0, 0.0, 0.0),
                     Qt::AlignVCenter, brief);
    if (!detailed) continue;
    // Half a number is worse than none.
    const bool fits = metrics.horizontalAdvance(what.detail) <= width || what.brief.isEmpty();
    painter.drawText(line.translated(0.0, metrics.height()), Qt::AlignVCenter,
                     metrics.elidedText(fits ? what.detail : what.brief, Qt::ElideRight, width));
  }
}

void BarPlot::refresh() {
  const int count = m_spec.categories();
  if (count == 0) {  // a new run
    m_zoomed = false;
    m_calm.forget();
  }

  if (m_categories->count() != count) {
    QStringList places;
    for (int place = 0; place < count; ++place) places.append(QString::number(place));
    m_categories->setCategories(places);
  }
  fitTitle(*m_values, m_spec.value, m_chart.size() - QSizeF(labelWidth(), 0.0));
  // Room for the names, which are painted over it. Set rarely: it lays the chart out again.
  const int room = int(std::ceil(labelWidth() + kLabelGap - kAxisRoom));
  if (m_chart.margins().left() != room) m_chart.setMargins({room, 6, 10, 0});

  // The axis counts from the bottom; people read from the top.
  std::vector<double> sums(size_t(count), 0.0);
  for (size_t i = 0; i < m_sets.size(); ++i) {
    QBarSet& set = *m_sets[i];
    if (set.count() > count) set.remove(count, set.count() - count);
    for (int place = 0; place < count; ++place) {
      const int category = count - 1 - place;
      const double value = m_hidden[i] ? 0.0 : m_spec.series[i].value(category);
      sums[size_t(category)] += value;
      if (place >= set.count())
        set.append(value);
      else if (set.at(place) != value)
        set.replace(place, value);
    }
  }
  const double largest = sums.empty() ? 0.0 : *std::max_element(sums.begin(), sums.end());
  m_calm.update(largest, ticksAcross(m_chart.plotArea().width()));
  if (!m_zoomed) setRange(*m_values, 0.0, m_calm.range().end, m_calm.range().step);
  const double thickness = std::clamp(kThickestBar / std::max(slotHeight(), 1.0), 0.1, 0.62);
  if (m_bars->barWidth() != thickness) m_bars->setBarWidth(thickness);
}

QList<LegendEntry> BarPlot::legend() const {
  QList<LegendEntry> entries;
  for (size_t i = 0; i < m_sets.size(); ++i)
    entries.append({m_spec.series[i].name,
                    Theme::instance().color(m_spec.series[i].ink),
                    LegendEntry::Swatch::Box,
                    {},
                    m_hidden[i]});
  return entries;
}

void BarPlot::setHidden(int entry, bool hidden) {
  m_hidden[size_t(entry)] = hidden;
  refresh();
}

QList<int> BarPlot::visibleColumns() const {
  QList<int> columns{0};
  for (size_t i = 0; i < m_hidden.size(); ++i)
    if (!m_hidden[i]) columns.append(int(i) + 1);
  return columns;
}

void BarPlot::zoomTo(const QRectF& area) {
  const QRectF plot = m_chart.plotArea();
  if (isEmpty() || plot.isEmpty() || area.width() < 1.0) return;
  const double span = m_values->max() - m_values->min();
  const double end = m_calm.range().end;
  const double from =
      std::max(0.0, m_values->min() + (area.left() - plot.left()) / plot.width() * span);
  const double to =
      std::min(end, m_values->min() + (area.right() - plot.left()) / plot.width() * span);
  if (!(to - from > 1e-3 * end)) return;
  if (from <= 0.0 && to >= end * (1.0 - 1e-9)) {
    resetZoom();
    return;
  }
  m_zoomed = true;
  setRange(*m_values, from, to, niceStep((to - from) / ticksAcross(plot.width())));
}

void BarPlot::resetZoom() {
  m_zoomed = false;
  refresh();
}

std::optional<ReadOut> BarPlot::readOut(QPointF position) const {
  const QRectF plot = m_chart.plotArea();
  const int count = m_spec.categories();
  if (isEmpty() || !plot.contains(position)) return std::nullopt;
  const int category =
      std::clamp(int((position.y() - plot.top()) / plot.height() * count), 0, count - 1);
  ReadOut out;
  out.title = m_spec.categoryAt(category).name;
  double sum = 0.0;
  for (size_t i = 0; i < m_sets.size(); ++i) {
    if (m_hidden[i]) continue;
    const double value = m_spec.series[i].value(category);
    sum += value;
    out.rows.append({Theme::instance().color(m_spec.series[i].ink), m_spec.series[i].name,
                     readable(value) + ' ' + m_spec.value.unit});
  }
  out.rows.append({QColor(), QCoreApplication::translate("Chart", "Total"),
                   readable(sum) + ' ' + m_spec.value.unit});
  return out;
}

}  // namespace convoy::ui
