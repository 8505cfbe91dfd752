// The order in which Tab walks the controls of a window: that of reading, not that of construction.
#pragma once

#include <QWidget>

namespace convoy::ui {

// Everything below `widget` that Tab stops at, in the order in which its layouts read: rows from
// the top, each from the left, and what stands together (a section, a chart) as one. Hidden
// controls keep their places.
QWidgetList inReadingOrder(QWidget* widget);

// Lets Tab walk the given parts of one window one after another, each in reading order. Controls
// that are made later come last: call it again.
void setReadingOrder(const QWidgetList& parts);

}  // namespace convoy::ui
