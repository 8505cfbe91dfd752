// A page that scrolls up and down where it is too low for what it shows, but is never narrower.
#pragma once

#include <QEvent>
#include <QLayout>
#include <QScrollArea>
#include <QStyle>
#include <algorithm>

namespace convoy::ui {

// A QScrollArea makes a layout whose height depends on its width as high as that would like to be;
// charts would rather be low than out of sight.
class LowColumn : public QWidget {
 public:
  explicit LowColumn(QWidget* content) : m_content(content) { content->setParent(this); }

  QWidget* content() const { return m_content; }
  QSize minimumSizeHint() const override {
    const QLayout* layout = m_content->layout();
    const QSize least = layout->totalMinimumSize();
    const int asked = std::max(width(), least.width());
    return {least.width(),
            layout->hasHeightForWidth() ? layout->minimumHeightForWidth(asked) : least.height()};
  }

 protected:
  bool event(QEvent* event) override {
    if (event->type() == QEvent::LayoutRequest) updateGeometry();  // tells the area
    return QWidget::event(event);
  }
  void resizeEvent(QResizeEvent*) override { m_content->resize(size()); }

 private:
  QWidget* m_content;
};

class ColumnArea : public QScrollArea {
 public:
  explicit ColumnArea(QWidget* parent = nullptr) : QScrollArea(parent) {
    setFrameShape(QFrame::NoFrame);
    setWidgetResizable(true);
    setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    setFocusPolicy(Qt::ClickFocus);  // Tab stops at what is in it
  }
  // Of charts and the like, which take the height that there is.
  ColumnArea(QWidget* parent, QWidget* content) : ColumnArea(parent) {
    setWidget(new LowColumn(content));
  }

  QSize minimumSizeHint() const override {
    const int bar = style()->pixelMetric(QStyle::PM_ScrollBarExtent, nullptr, this);
    return {(widget() ? widget()->minimumSizeHint().width() : 0) + bar, kLeastHeight};
  }

 protected:
  bool eventFilter(QObject* watched, QEvent* event) override {
    if (watched == widget() && event->type() == QEvent::LayoutRequest) updateGeometry();
    return QScrollArea::eventFilter(watched, event);
  }

 private:
  static constexpr int kLeastHeight = 120;
};

}  // namespace convoy::ui
