#include "ui/charts/chart_legend.h"

#include <QFontMetricsF>
#include <algorithm>
#include <numeric>

#include "ui/charts/flow_layout.h"

namespace convoy::ui {
namespace {

constexpr qreal kSwatch = 12.0, kGap = 6.0, kHeight = 20.0, kBetween = 14.0;

qreal widthOf(const LegendEntry& entry) {
  const QFontMetricsF metrics(Theme::instance().font(TextStyle::Small));
  return kSwatch + kGap + metrics.horizontalAdvance(entry.name) + 2.0;
}

// Shrunk so that a swatch shows it twice: one dash alone looks solid.
QList<qreal> twice(QList<qreal> dash, qreal penWidth) {
  const qreal length = penWidth * std::accumulate(dash.begin(), dash.end(), 0.0);
  for (qreal& part : dash) part *= std::min(1.0, kSwatch / (2.0 * length));
  return dash;
}

void paintEntry(QPainter& painter, const QRectF& area, const LegendEntry& entry) {
  const Theme& theme = Theme::instance();
  QColor color = entry.hidden ? theme.color(Ink::Border) : entry.color;
  const QRectF swatch(area.left(), area.center().y() - 5.0, kSwatch, 10.0);
  painter.setRenderHint(QPainter::Antialiasing);
  if (entry.swatch == LegendEntry::Swatch::Box) {
    painter.setPen(Qt::NoPen);
    painter.setBrush(color);
    painter.drawRoundedRect(swatch, 2.0, 2.0);
  } else if (entry.swatch == LegendEntry::Swatch::Marker) {
    painter.setPen(QPen(color, 2.0));
    painter.setBrush(theme.color(Ink::Card));
    painter.drawEllipse(swatch.center(), 4.5, 4.5);
  } else {
    const bool faint = entry.swatch == LegendEntry::Swatch::FaintLine;
    if (faint && !entry.hidden) color.setAlphaF(0.55F);
    QPen pen(color, faint ? 1.2 : 2.4);
    pen.setCapStyle(Qt::FlatCap);
    if (!entry.dash.isEmpty()) pen.setDashPattern(twice(entry.dash, pen.widthF()));
    painter.setPen(pen);
    painter.drawLine(QPointF(swatch.left(), swatch.center().y()),
                     QPointF(swatch.right(), swatch.center().y()));
  }
  QFont font = theme.font(TextStyle::Small);
  font.setStrikeOut(entry.hidden);
  painter.setFont(font);
  painter.setPen(theme.color(entry.hidden ? Ink::MutedText : Ink::Text));
  painter.drawText(area.adjusted(kSwatch + kGap, 0.0, 0.0, 0.0), Qt::AlignVCenter, entry.name);
}

}  // namespace

void LegendButton::setEntry(const LegendEntry& entry) {
  m_entry = entry;
  setCheckable(true);
  setChecked(!entry.hidden);
  setCursor(Qt::PointingHandCursor);
  setToolTip(entry.hidden ? tr("Show %1").arg(entry.name) : tr("Hide %1").arg(entry.name));
  setAccessibleName(entry.name);
  setAccessibleDescription(tr("Shows or hides this series"));
  updateGeometry();
  update();
}

QSize LegendButton::sizeHint() const {
  return QSizeF(std::ceil(widthOf(m_entry)), kHeight).toSize();
}

void LegendButton::paintEvent(QPaintEvent*) {
  QPainter painter(this);
  paintEntry(painter, rect(), m_entry);
  if (hasFocus()) {
    painter.setBrush(Qt::NoBrush);
    painter.setPen(QPen(Theme::instance().color(Ink::Accent), 1.0));
    painter.drawRoundedRect(QRectF(rect()).adjusted(0.5, 0.5, -0.5, -0.5), 3.0, 3.0);
  }
}

ChartLegend::ChartLegend(QWidget* parent) : QWidget(parent) {
  setLayout(new FlowLayout(int(kBetween), 0));
}

void ChartLegend::setEntries(const QList<LegendEntry>& entries) {
  if (entries == m_entries) return;
  m_entries = entries;
  while (m_buttons.size() < entries.size()) {
    auto* button = new LegendButton(this);
    const int entry = int(m_buttons.size());
    connect(button, &QAbstractButton::clicked, this,
            [this, entry](bool shown) { emit toggled(entry, !shown); });
    layout()->addWidget(button);
    m_buttons.append(button);
  }
  for (int i = 0; i < entries.size(); ++i) {
    m_buttons[i]->setEntry(entries[i]);
    m_buttons[i]->setVisible(!entries[i].absent);
  }
}

qreal ChartLegend::paint(QPainter& painter, const QRectF& area, const QList<LegendEntry>& entries) {
  qreal x = area.left(), y = area.top();
  for (const LegendEntry& entry : entries) {
    if (entry.hidden || entry.absent) continue;
    const qreal width = widthOf(entry);
    if (x > area.left() && x + width > area.right()) {
      x = area.left();
      y += kHeight;
    }
    painter.save();
    paintEntry(painter, {x, y, width, kHeight}, entry);
    painter.restore();
    x += width + kBetween;
  }
  return y + kHeight - area.top();
}

}  // namespace convoy::ui
