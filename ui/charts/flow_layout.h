// Puts its items in rows, as many in each as fit: a legend that wraps instead of being cut off.
#pragma once

#include <QLayout>
#include <QList>

namespace convoy::ui {

class FlowLayout : public QLayout {
 public:
  FlowLayout(int horizontalGap, int verticalGap)
      : m_horizontalGap(horizontalGap), m_verticalGap(verticalGap) {
    setContentsMargins(0, 0, 0, 0);
  }
  ~FlowLayout() override { qDeleteAll(m_items); }

  void addItem(QLayoutItem* item) override { m_items.append(item); }
  int count() const override { return int(m_items.size()); }
  QLayoutItem* itemAt(int index) const override { return m_items.value(index); }
  QLayoutItem* takeAt(int index) override {
    return index >= 0 && index < m_items.size() ? m_items.takeAt(index) : nullptr;
  }
  Qt::Orientations expandingDirections() const override { return {}; }
  bool hasHeightForWidth() const override { return true; }
  int heightForWidth(int width) const override { return arrange(QRect(0, 0, width, 0), false); }
  QSize sizeHint() const override { return minimumSize(); }
  QSize minimumSize() const override {
    QSize size;
    for (const QLayoutItem* item : m_items) size = size.expandedTo(item->minimumSize());
    return size;
  }
  void setGeometry(const QRect& rect) override {
    QLayout::setGeometry(rect);
    arrange(rect, true);
  }

 private:
  // Returns the height that is used.
  int arrange(const QRect& rect, bool place) const {
    int x = rect.x(), y = rect.y(), rowHeight = 0;
    for (QLayoutItem* item : m_items) {
      if (item->isEmpty()) continue;  // hidden
      const QSize size = item->sizeHint();
      if (x > rect.x() && x + size.width() > rect.x() + rect.width()) {
        x = rect.x();
        y += rowHeight + m_verticalGap;
        rowHeight = 0;
      }
      if (place) item->setGeometry({QPoint(x, y), size});
      x += size.width() + m_horizontalGap;
      rowHeight = std::max(rowHeight, size.height());
    }
    return y + rowHeight - rect.y();
  }

  int m_horizontalGap, m_verticalGap;
  QList<QLayoutItem*> m_items;
};

}  // namespace convoy::ui
