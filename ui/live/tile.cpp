#include "ui/live/tile.h"
#include "ui/theme/card.h"

#include <QFontMetricsF>
#include <QPainter>
#include <algorithm>
#include <cmath>

namespace convoy::ui {
namespace {

constexpr int kLeastWidth = 78;
constexpr qreal kPad = 12.0, kNarrowPad = 9.0;
constexpr int kNarrow = 96;
constexpr qreal kUnitGap = 3.0;
constexpr qreal kSmallestText = 0.88, kSmallestValue = 0.6;  // of their fonts

// The same font, smaller where the text would not fit, but never too small to read.
QFont fitted(QFont font, const QString& text, qreal width, qreal smallest) {
  const qreal needed = QFontMetricsF(font).horizontalAdvance(text);
  if (needed > width && needed > 0.0)
    font.setPointSizeF(font.pointSizeF() * std::max(smallest, width / needed * 0.98));
  return font;
}

bool fits(const QFont& font, const QString& text, qreal width) {
  return QFontMetricsF(fitted(font, text, width, kSmallestText)).horizontalAdvance(text) <= width;
}

}  // namespace

Ink inkOfSpeedup(std::optional<double> speedup) {
  return speedup && *speedup < 0.995 ? Ink::Warning : Ink::Speedup;
}

Tile::Tile(const QString& name, QWidget* parent) : QWidget(parent), m_name(name), m_value("–") {
  setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Fixed);
  connect(&Theme::instance(), &Theme::changed, this, [this] {
    updateGeometry();
    update();
  });
  describe();
}

void Tile::setValue(const QString& value, const QString& unit, const QString& note,
                    const QString& brief) {
  if (value == m_value && unit == m_unit && note == m_note && brief == m_brief) return;
  m_value = value;
  m_unit = unit;
  m_note = note;
  m_brief = brief;
  describe();
  update();
}

void Tile::setName(const QString& name, const QString& brief) {
  if (name == m_name && brief == m_briefName) return;
  m_name = name;
  m_briefName = brief;
  describe();
  update();
}

void Tile::setInk(Ink ink) {
  if (ink == m_ink) return;
  m_ink = ink;
  update();
}

void Tile::describe() {
  setAccessibleName(m_name + ": " + m_value + ' ' + m_unit);
  setAccessibleDescription(m_note);
}

QString Tile::shown(const QString& text, const QString& brief) const {
  const bool whole =
      brief.isEmpty() || fits(Theme::instance().font(TextStyle::Small), text, innerWidth());
  return whole ? text : brief;
}

qreal Tile::pad() const {
  return width() < kNarrow ? kNarrowPad : kPad;
}

qreal Tile::innerWidth() const {
  return width() - 2.0 * pad() + 2.0;
}

QSize Tile::minimumSizeHint() const {
  const Theme& theme = Theme::instance();
  const qreal height = 2.0 * QFontMetricsF(theme.font(TextStyle::Small)).height() +
                       QFontMetricsF(theme.font(TextStyle::Figure)).height() + 14.0;
  return {kLeastWidth, int(height)};
}

void Tile::paintEvent(QPaintEvent*) {
  const Theme& theme = Theme::instance();
  QPainter painter(this);
  paintCard(painter, *this);

  const QFont small = theme.font(TextStyle::Small);
  const QFont figure = theme.font(TextStyle::Figure);
  const qreal line = QFontMetricsF(small).height();
  const QRectF inside = QRectF(pad(), 7.0, innerWidth(), height() - 14.0);

  painter.setPen(theme.color(Ink::MutedText));
  const auto write = [&](const QString& text, qreal top) {
    const QFont font = fitted(small, text, inside.width(), kSmallestText);
    painter.setFont(font);
    painter.drawText(
        QRectF(inside.left(), top, inside.width(), line), Qt::AlignVCenter,
        QFontMetricsF(font).elidedText(text, Qt::ElideRight, std::ceil(inside.width())));
  };
  write(shown(m_name, m_briefName), inside.top());
  write(shown(m_note, m_brief), inside.bottom() - line);

  // Value and unit share a base line.
  // Where both are too wide the value shrinks first, then the unit.
  QFont least = figure;
  least.setPointSizeF(figure.pointSizeF() * kSmallestValue);
  const qreal unitRoom =
      inside.width() - kUnitGap - QFontMetricsF(least).horizontalAdvance(m_value);
  const QFont unitFont = fitted(small, m_unit, unitRoom, kSmallestText);
  const QFontMetricsF unitMetrics(unitFont);
  const qreal unitWidth = m_unit.isEmpty() ? 0.0 : unitMetrics.horizontalAdvance(m_unit) + kUnitGap;
  const QFont valueFont = fitted(figure, m_value, inside.width() - unitWidth, kSmallestValue);
  const QFontMetricsF figureMetrics(figure);
  const qreal base = inside.top() + line +
                     (inside.height() - 2.0 * line - figureMetrics.height()) / 2.0 +
                     figureMetrics.ascent();
  painter.setFont(valueFont);
  painter.setPen(theme.color(m_ink));
  painter.drawText(QPointF(inside.left(), base), m_value);
  painter.setFont(unitFont);
  painter.setPen(theme.color(Ink::MutedText));
  painter.drawText(
      QPointF(inside.left() + QFontMetricsF(valueFont).horizontalAdvance(m_value) + kUnitGap, base),
      m_unit);
}

}  // namespace convoy::ui
