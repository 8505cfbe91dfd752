#include "ui/setup/tick_box.h"

#include <QStyleOptionButton>
#include <QStyleOptionFocusRect>
#include <QStylePainter>

#include "ui/theme/theme.h"

namespace convoy::ui {

void paintTick(QPainter* painter, const QRect& place, bool ticked, bool enabled) {
  const Theme& theme = Theme::instance();
  constexpr qreal kSide = 14.0;
  QRectF box(0.0, 0.0, kSide, kSide);
  box.moveCenter(QRectF(place).center());
  painter->save();
  painter->setRenderHint(QPainter::Antialiasing);
  const Ink filled = enabled ? Ink::Accent : Ink::MutedText;
  painter->setPen(theme.color(ticked ? filled : Ink::MutedText));
  painter->setBrush(theme.color(ticked ? filled : Ink::Card));
  painter->drawRoundedRect(box, 3.0, 3.0);
  if (ticked) {
    painter->setPen(QPen(theme.color(Ink::Card), 2.0, Qt::SolidLine, Qt::RoundCap, Qt::RoundJoin));
    const QPointF tick[] = {box.topLeft() + QPointF(3.5, 7.5), box.topLeft() + QPointF(6.0, 10.0),
                            box.topLeft() + QPointF(10.5, 4.5)};
    painter->drawPolyline(tick, 3);
  }
  painter->restore();
}

void TickBox::paintEvent(QPaintEvent*) {
  QStylePainter painter(this);
  QStyleOptionButton option;
  initStyleOption(&option);
  paintTick(&painter, style()->subElementRect(QStyle::SE_CheckBoxIndicator, &option, this),
            isChecked(), isEnabled());
  QStyleOptionButton label = option;
  label.rect = style()->subElementRect(QStyle::SE_CheckBoxContents, &option, this);
  painter.drawControl(QStyle::CE_CheckBoxLabel, label);
  if (!hasFocus()) return;
  QStyleOptionFocusRect focus;
  focus.initFrom(this);
  focus.rect = style()->subElementRect(QStyle::SE_CheckBoxFocusRect, &option, this);
  painter.drawPrimitive(QStyle::PE_FrameFocusRect, focus);
}

}  // namespace convoy::ui
