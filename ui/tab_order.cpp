#include "ui/tab_order.h"

#include <QDockWidget>
#include <QGridLayout>
#include <QScrollArea>
#include <QTabBar>
#include <QTabWidget>
#include <algorithm>
#include <vector>

#include "ui/column_area.h"

namespace convoy::ui {
namespace {

void collect(QWidget* widget, QWidgetList& found);

void collect(QLayout* layout, QWidgetList& found) {
  struct Placed {
    int row = 0, column = 0;
    QLayoutItem* item = nullptr;
  };
  std::vector<Placed> items;
  const auto* grid = qobject_cast<QGridLayout*>(layout);
  for (int i = 0; i < layout->count(); ++i) {
    Placed placed{0, i, layout->itemAt(i)};
    int rows = 1, columns = 1;
    if (grid) grid->getItemPosition(i, &placed.row, &placed.column, &rows, &columns);
    items.push_back(placed);
  }
  std::stable_sort(items.begin(), items.end(), [](const Placed& a, const Placed& b) {
    return a.row != b.row ? a.row < b.row : a.column < b.column;
  });
  for (const Placed& placed : items) {
    if (placed.item->widget())
      collect(placed.item->widget(), found);
    else if (placed.item->layout())
      collect(placed.item->layout(), found);
  }
}

void collect(QWidget* widget, QWidgetList& found) {
  if (!widget) return;
  if ((widget->focusPolicy() & Qt::TabFocus) && !widget->focusProxy()) found.append(widget);
  if (const auto* area = qobject_cast<QScrollArea*>(widget)) {
    const auto* low = dynamic_cast<const LowColumn*>(area->widget());
    collect(low ? low->content() : area->widget(), found);
  } else if (const auto* dock = qobject_cast<QDockWidget*>(widget)) {
    collect(dock->widget(), found);
  } else if (const auto* tabs = qobject_cast<QTabWidget*>(widget)) {
    collect(tabs->tabBar(), found);
    for (int page = 0; page < tabs->count(); ++page) collect(tabs->widget(page), found);
  } else if (widget->layout()) {
    collect(widget->layout(), found);
  }
}

}  // namespace

QWidgetList inReadingOrder(QWidget* widget) {
  QWidgetList found;
  collect(widget, found);
  return found;
}

void setReadingOrder(const QWidgetList& parts) {
  QWidget* before = nullptr;
  for (QWidget* part : parts)
    for (QWidget* control : inReadingOrder(part)) {
      if (before) QWidget::setTabOrder(before, control);
      before = control;
    }
}

}  // namespace convoy::ui
