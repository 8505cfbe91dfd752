#include "ui/charts/line_plot.h"

#include <QAreaSeries>
#include <QChart>
#include <QLineSeries>
#include <QLogValueAxis>
#include <QPen>
#include <QValueAxis>
#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "ui/charts/axis_style.h"
#include "ui/charts/decimate.h"

namespace convoy::ui {
namespace {

constexpr int kMaxPoints = 500;
constexpr double kLabelHeadroom = 1.1;  // above a reference line, for its name
constexpr double kAbsent = std::numeric_limits<double>::quiet_NaN();

}  // namespace

LinePlot::LinePlot(QChart& chart, LinesSpec spec)
    : m_chart(chart),
      m_spec(std::move(spec)),
      m_drawn(m_spec.series.size()),
      m_x(chart, m_spec.x),
      m_left(new QValueAxis),
      m_leftLog(new QLogValueAxis),
      m_spareLog(m_leftLog) {
  m_chart.addAxis(m_left, Qt::AlignLeft);
  if (m_spec.right) {
    m_right = new QValueAxis;
    m_chart.addAxis(m_right, Qt::AlignRight);
  }
  // Stacked areas reach down to the axis, so the topmost is drawn first and the others over it. Of
  // lines, single values go below their median.
  std::vector<size_t> order(m_drawn.size());
  std::iota(order.rbegin(), order.rend(), size_t(0));
  std::stable_partition(order.begin(), order.end(),
                        [this](size_t i) { return m_spec.series[i].faint; });
  for (const size_t i : order) {
    Drawn& drawn = m_drawn[i];
    QAbstractSeries* series = drawn.line = new QLineSeries;
    if (m_spec.stacked) {
      series = drawn.area = new QAreaSeries(drawn.line);
      drawn.line->setParent(drawn.area);
    }
    series->setName(m_spec.series[i].name);
    m_chart.addSeries(series);
    series->attachAxis(m_x.axis());
    series->attachAxis(onRight(i) ? m_right : m_left);
  }
  restyle();
}

LinePlot::~LinePlot() = default;

bool LinePlot::onRight(size_t series) const {
  return m_right && m_spec.series[series].side == LineSeries::Side::Right;
}

QColor LinePlot::inkOf(size_t series) const {
  const LineSeries& spec = m_spec.series[series];
  return spec.device < 0 ? Theme::instance().color(spec.ink)
                         : Theme::instance().device(spec.device).color;
}

QList<qreal> LinePlot::dashOf(size_t series) const {
  const LineSeries& spec = m_spec.series[series];
  return spec.device < 0 ? spec.dash : Theme::instance().device(spec.device).dash;
}

void LinePlot::restyle() {
  styleChart(m_chart);
  m_x.restyle();
  styleAxis(*m_left, GridLines::Shown);
  styleAxis(*m_leftLog, GridLines::Shown);
  if (m_right) styleAxis(*m_right, GridLines::Hidden);
  fitTitles();
  for (size_t i = 0; i < m_drawn.size(); ++i) {
    const LineSeries& series = m_spec.series[i];
    QColor color = inkOf(i);
    if (m_spec.stacked) {
      m_drawn[i].area->setBrush(color);
      m_drawn[i].area->setPen(Qt::NoPen);
      continue;
    }
    if (series.markers) {  // painted over the plot
      m_drawn[i].line->setPen(Qt::NoPen);
      continue;
    }
    if (series.faint) color.setAlphaF(0.4F);
    QPen pen(color, series.faint ? 1.0 : 2.2);
    pen.setJoinStyle(Qt::BevelJoin);  // round ones cost most of the time of a dense line
    pen.setCapStyle(Qt::FlatCap);
    if (const auto dash = dashOf(i); !dash.isEmpty()) pen.setDashPattern(dash);
    m_drawn[i].line->setPen(pen);
  }
  // Two scales in one chart: each says in its colour whose it is.
  if (m_right) {
    for (size_t i = 0; i < m_drawn.size(); ++i) {
      if (m_spec.series[i].faint) continue;
      QAbstractAxis* axis = onRight(i) ? m_right : static_cast<QAbstractAxis*>(m_left);
      axis->setTitleBrush(inkOf(i));
      if (!onRight(i)) m_leftLog->setTitleBrush(inkOf(i));
    }
  }
}

int LinePlot::rowFrom(double x) const {
  int low = 0, high = m_spec.rows();
  while (low < high) {
    const int middle = low + (high - low) / 2;
    if (m_spec.xAt(middle) < x)
      low = middle + 1;
    else
      high = middle;
  }
  return low;
}

double LinePlot::drawnValue(size_t series, int row) const {
  if (!m_spec.stacked) {
    const double value = m_spec.series[series].value(row);
    return m_logarithmic && !onRight(series) && !(value > 0.0) ? kAbsent : value;
  }
  double sum = 0.0;
  for (size_t i = 0; i <= series; ++i)
    if (!m_drawn[i].hidden) sum += m_spec.series[i].value(row);
  return sum;
}

LinePlot::Range LinePlot::leftRange() const {
  if (m_logarithmic) return {m_leftLog->min(), m_leftLog->max()};
  return {m_left->min(), m_left->max()};
}

void LinePlot::forgetPoints() {
  for (Drawn& drawn : m_drawn) drawn.all.forget();
}

void LinePlot::refresh() {
  const int rows = m_spec.rows();
  const int run = m_spec.run ? m_spec.run() : 0;
  const int revision = m_spec.revision ? m_spec.revision() : 0;
  if (rows < m_rows || rows == 0 || run != m_run) {
    m_zoomed = false;
    m_calmLeft.forget();
    m_calmRight.forget();
    forgetPoints();
  } else if (revision != m_revision) {
    forgetPoints();
  }
  m_rows = rows;
  m_run = run;
  m_revision = revision;

  m_full = m_x.fullRange(rows > 0 ? m_spec.xAt(0) : 0.0, rows > 0 ? m_spec.xAt(rows - 1) : 0.0,
                         m_spec.xEnd ? m_spec.xEnd() : 0.0);
  if (!m_zoomed) m_x.setRange(m_full, m_chart.plotArea().width());

  // One row beyond each end, so that lines leave the picture instead of ending in it.
  const Range x = m_x.range();
  const int first = std::max(0, rowFrom(x.min) - 1);
  const int end = std::min(rows, rowFrom(x.max) + 2);
  const int typical = m_spec.firstTypicalRow ? m_spec.firstTypicalRow() : 0;
  const double typicalX = typical < rows ? m_spec.xAt(typical) : 0.0;

  std::vector<double> largest(2, 0.0);  // left, right
  double smallestPositive = std::numeric_limits<double>::infinity();
  for (size_t i = 0; i < m_drawn.size(); ++i) {
    QList<QPointF> points;
    const auto append = [this, i](QList<QPointF>& to, int from, int until, int size) {
      const auto value = [this, i](int row) { return drawnValue(i, row); };
      // Of a stack the mean: its areas are still the time that went there, and a fill between
      // hundreds of extremes takes longer than all the rest of the window.
      if (m_spec.series[i].averaged || m_spec.stacked)
        appendMeans(to, from, until, size, m_spec.xAt, value);
      else
        appendExtremes(to, from, until, size, m_spec.xAt, value);
    };
    if (!m_drawn[i].hidden) {
      if (first == 0 && end == rows)
        points = m_drawn[i].all.upTo(rows, kMaxPoints, append);
      else
        append(points, first, end, bucketSize(end - first, kMaxPoints));
    }
    for (const QPointF& point : points) {
      if (point.x() < typicalX) continue;
      double& most = largest[onRight(i)];
      most = std::max(most, point.y());
      if (!onRight(i) && point.y() > 0.0) smallestPositive = std::min(smallestPositive, point.y());
    }
    m_drawn[i].line->replace(points);
    if (!m_drawn[i].hidden && !m_zoomed) m_drawn[i].absent = rows > 0 && points.isEmpty();
  }
  for (const ReferenceLine& line : m_spec.references)
    if (const auto level = line.value()) largest[0] = std::max(largest[0], kLabelHeadroom * *level);
  if (!m_zoomed) fitAxes(largest, smallestPositive);
  fitTitles();
}

// Where a title would be cut short, its unit says most; below a low chart, nothing but the numbers.
void LinePlot::fitTitles() {
  fitTitle(*m_x.axis(), m_spec.x, m_chart.size());
  fitTitle(*m_left, m_spec.left, m_chart.size());
  fitTitle(*m_leftLog, m_spec.left, m_chart.size());
  if (m_right) fitTitle(*m_right, *m_spec.right, m_chart.size());
}

void LinePlot::fitAxes(const std::vector<double>& largest, double smallestPositive) {
  const int ticks = ticksUp(m_chart.plotArea().height());
  if (m_logarithmic) {
    if (std::isfinite(smallestPositive))
      m_fullLog = {std::pow(10.0, std::floor(std::log10(smallestPositive))),
                   std::pow(10.0, std::ceil(std::log10(largest[0] * (1.0 + 1e-9))))};
    setLeftRange(m_fullLog);
  } else {
    m_calmLeft.update(m_spec.left.end.value_or(largest[0]), ticks);
    const double end = m_spec.left.end.value_or(m_calmLeft.range().end);
    setRange(*m_left, 0.0, end, m_calmLeft.range().step);
  }
  if (m_right) {
    m_calmRight.update(m_spec.right->end.value_or(largest[1]), ticks);
    const double end = m_spec.right->end.value_or(m_calmRight.range().end);
    setRange(*m_right, 0.0, end,
             m_spec.right->end ? niceStep(end / ticks) : m_calmRight.range().step);
  }
}

void LinePlot::setLeftRange(const Range& range) {
  if (leftRange() == range) return;
  if (m_logarithmic)
    setRange(*m_leftLog, range.min, range.max);
  else
    setRange(*m_left, range.min, range.max,
             niceStep((range.max - range.min) / ticksUp(m_chart.plotArea().height())));
}

QList<LegendEntry> LinePlot::legend() const {
  QList<LegendEntry> entries;
  for (size_t i = 0; i < m_drawn.size(); ++i) {
    const LineSeries& series = m_spec.series[i];
    const auto swatch = m_spec.stacked   ? LegendEntry::Swatch::Box
                        : series.markers ? LegendEntry::Swatch::Marker
                        : series.faint   ? LegendEntry::Swatch::FaintLine
                                         : LegendEntry::Swatch::Line;
    entries.append(
        {series.name, inkOf(i), swatch, dashOf(i), m_drawn[i].hidden, m_drawn[i].absent});
  }
  return entries;
}

void LinePlot::setHidden(int entry, bool hidden) {
  Drawn& drawn = m_drawn[size_t(entry)];
  drawn.hidden = hidden;
  QAbstractSeries* series = drawn.area ? static_cast<QAbstractSeries*>(drawn.area) : drawn.line;
  series->setVisible(!hidden);
  forgetPoints();  // those stacked on it have moved
  refresh();
}

QList<int> LinePlot::visibleColumns() const {
  QList<int> columns{0};
  for (size_t i = 0; i < m_drawn.size(); ++i)
    if (!m_drawn[i].hidden) columns.append(int(i) + 1);
  for (size_t i = 0; i < m_spec.references.size(); ++i)
    if (m_spec.references[i].value()) columns.append(int(m_drawn.size() + i) + 1);
  return columns;
}

std::pair<int, int> LinePlot::visibleRows() const {
  if (!m_zoomed) return {0, m_spec.rows()};
  const Range x = m_x.range();
  return {rowFrom(x.min), rowFrom(std::nextafter(x.max, std::numeric_limits<double>::max()))};
}

void LinePlot::zoomTo(const QRectF& area) {
  const QRectF plot = m_chart.plotArea();
  if (isEmpty() || plot.isEmpty() || area.width() < 1.0 || area.height() < 1.0) return;

  const auto part = [](const Range& full, const Range& range, double from, double to) {
    const double span = range.max - range.min;
    return Range{std::max(full.min, range.min + from * span),
                 std::min(full.max, range.min + to * span)};
  };
  const double left = (area.left() - plot.left()) / plot.width();
  const double right = (area.right() - plot.left()) / plot.width();
  const double bottom = (plot.bottom() - area.bottom()) / plot.height();
  const double top = (plot.bottom() - area.top()) / plot.height();

  const Range x{std::max(m_full.min, m_x.at(left)), std::min(m_full.max, m_x.at(right))};
  Range y;
  if (m_logarithmic) {
    const auto logs = [](const Range& r) { return Range{std::log10(r.min), std::log10(r.max)}; };
    y = part(logs(m_fullLog), logs(leftRange()), bottom, top);
    y = {std::pow(10.0, y.min), std::pow(10.0, y.max)};
  } else {
    y = part({0.0, m_calmLeft.range().end}, leftRange(), bottom, top);
  }
  if (m_x.isTooClose(x) || !(y.max > y.min)) return;

  const Range fullY = m_logarithmic ? m_fullLog : Range{0.0, m_calmLeft.range().end};
  if (x == m_full && y.min <= fullY.min && y.max >= fullY.max * (1.0 - 1e-9)) {
    resetZoom();
    return;
  }
  m_zoomed = true;
  m_x.setRange(x, plot.width());
  setLeftRange(y);
  if (m_right) {
    const double end = m_spec.right->end.value_or(m_calmRight.range().end);
    const Range r = part({0.0, end}, {m_right->min(), m_right->max()}, bottom, top);
    if (r.max > r.min)
      setRange(*m_right, r.min, r.max, niceStep((r.max - r.min) / ticksUp(plot.height())));
  }
  refresh();
}

void LinePlot::resetZoom() {
  m_zoomed = false;
  refresh();
}

void LinePlot::setLogarithmic(bool logarithmic) {
  if (logarithmic == m_logarithmic || !canBeLogarithmic()) return;
  m_logarithmic = logarithmic;
  m_zoomed = false;
  // A logarithmic axis must never see what was drawn for the other; refresh() fills in again.
  for (const Drawn& drawn : m_drawn) drawn.line->replace(QList<QPointF>());
  QAbstractAxis* shown = logarithmic ? static_cast<QAbstractAxis*>(m_leftLog) : m_left;
  QAbstractAxis* before = logarithmic ? static_cast<QAbstractAxis*>(m_left) : m_leftLog;
  m_chart.removeAxis(before);  // and with that it is ours again
  if (logarithmic) {
    m_spareLeft.reset(m_left);
    static_cast<void>(m_spareLog.release());
    m_leftLog->setBase(10.0);
    setRange(*m_leftLog, m_fullLog.min, m_fullLog.max);
  } else {
    m_spareLog.reset(m_leftLog);
    static_cast<void>(m_spareLeft.release());
  }
  m_chart.addAxis(shown, Qt::AlignLeft);
  for (size_t i = 0; i < m_drawn.size(); ++i)
    if (!onRight(i)) m_drawn[i].line->attachAxis(shown);
  m_calmLeft.forget();
  forgetPoints();
  refresh();
}

}  // namespace convoy::ui
