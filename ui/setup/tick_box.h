// A check box whose tick and frame can be seen on dark too, where the style's own frame is too
// faint; and that tick alone, for tables.
#pragma once

#include <QCheckBox>

namespace convoy::ui {

// In the middle of `place`.
void paintTick(QPainter* painter, const QRect& place, bool ticked, bool enabled = true);

class TickBox : public QCheckBox {
  Q_OBJECT

 public:
  using QCheckBox::QCheckBox;

 protected:
  void paintEvent(QPaintEvent* event) override;
};

}  // namespace convoy::ui
