// A line of text that ends in "…" where it is too long for its place; the tool tip has all of it.
#pragma once

#include <QLabel>
#include <QPainter>

namespace convoy::ui {

class ElidedLabel : public QLabel {
 public:
  using QLabel::QLabel;

 protected:
  void paintEvent(QPaintEvent*) override {
    QPainter painter(this);
    painter.setPen(palette().color(QPalette::WindowText));
    painter.drawText(contentsRect(), int(alignment()),
                     fontMetrics().elidedText(text(), Qt::ElideRight, contentsRect().width()));
  }
};

}  // namespace convoy::ui
