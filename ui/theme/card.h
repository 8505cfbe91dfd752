// The card that tiles, charts and tables lie on.
#pragma once

#include <QPainter>
#include <QWidget>

#include "ui/theme/theme.h"

namespace convoy::ui {

// Fills the widget, border and rounded corners included. Leaves antialiasing on.
inline void paintCard(QPainter& painter, const QWidget& widget) {
  painter.setRenderHint(QPainter::Antialiasing);
  painter.setPen(QPen(Theme::instance().color(Ink::Border), 1.0));
  painter.setBrush(Theme::instance().color(Ink::Card));
  painter.drawRoundedRect(QRectF(widget.rect()).adjusted(0.5, 0.5, -0.5, -0.5),
                          Space::kCornerRadius, Space::kCornerRadius);
}

}  // namespace convoy::ui
