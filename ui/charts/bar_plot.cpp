#include "ui/charts/bar_plot.h"

#include <QBarCategoryAxis>
#include <QBarSet>
#include <QChart>
#include <QFontMetricsF>
#include <QHorizontalStackedBarSeries>
#include <QPen>
#include <QValueAxis>
#include <algorithm>

#include "ui/charts/axis_style.h"

namespace convoy::ui {
namespace {

constexpr double kThickestBar = 26.0;  // pixels
constexpr double kLabelPart = 0.36;    // of the chart's width at most

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
  styleAxis(*m_categories, GridLines::Hidden, QString());
  styleAxis(*m_values, GridLines::Shown, m_spec.value.label());
  for (size_t i = 0; i < m_sets.size(); ++i) {
    m_sets[i]->setBrush(theme.color(m_spec.series[i].ink));
    // A seam in the background's colour keeps neighbours apart.
    m_sets[i]->setPen(QPen(theme.color(Ink::Card), 1.0));
  }
}

// Qt Charts lays labels out as rich text.
QString BarPlot::labelOf(int category) const {
  const Theme& theme = Theme::instance();
  const BarCategory what = m_spec.categoryAt(category);
  const double width = kLabelPart * m_chart.size().width();
  const QFontMetricsF metrics(theme.font(TextStyle::Small));
  const QString name =
      metrics.elidedText(what.name, Qt::ElideMiddle, width - metrics.horizontalAdvance("● "));
  QString label = QStringLiteral(
                      "<div align=right><span style='color:%1'>%2</span> <span "
                      "style='color:%3'>%4</span>")
                      .arg(what.style.color.name(), what.style.glyph, theme.color(Ink::Text).name(),
                           name.toHtmlEscaped());
  if (!what.detail.isEmpty())
    label += QStringLiteral("<br>%1").arg(
        metrics.elidedText(what.detail, Qt::ElideRight, width).toHtmlEscaped());
  return label + "</div>";
}

void BarPlot::refresh() {
  const int count = m_spec.categories();
  if (count == 0) m_zoomed = false;

  // The axis counts from the bottom; people read from the top. It refuses equal labels, and two
  // devices may differ only in what was elided: invisible spaces tell them apart.
  QStringList labels;
  for (int category = count; category-- > 0;) {
    QString label = labelOf(category);
    while (labels.contains(label)) label += QChar(0x200B);
    labels.append(label);
  }
  if (m_categories->categories() != labels) {
    if (m_categories->count() == count) {
      for (int i = 0; i < count; ++i)
        if (m_categories->at(i) != labels[i]) m_categories->replace(m_categories->at(i), labels[i]);
    } else {
      m_categories->setCategories(labels);
    }
  }

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
}

void BarPlot::resized() {
  refresh();
  const double slot = m_chart.plotArea().height() / std::max(1, m_spec.categories());
  m_bars->setBarWidth(std::clamp(kThickestBar / std::max(slot, 1.0), 0.1, 0.62));
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
