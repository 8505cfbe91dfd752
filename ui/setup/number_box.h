// A spin box for decimal numbers that shows as many digits as the value has: 0.01, not 0.01000.
#pragma once

#include <QDoubleSpinBox>
#include <QLocale>

namespace convoy::ui {

class NumberBox : public QDoubleSpinBox {
  Q_OBJECT

 public:
  using QDoubleSpinBox::QDoubleSpinBox;

  QString textFromValue(double value) const override {
    QLocale plain = locale();
    if (!isGroupSeparatorShown()) plain.setNumberOptions(QLocale::OmitGroupSeparator);
    return plain.toString(value, 'g', 7);
  }
};

}  // namespace convoy::ui
