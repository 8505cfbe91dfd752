#include "ui/setup/form_grid.h"

#include <QLabel>
#include <algorithm>

#include "ui/theme/theme.h"

namespace convoy::ui {
namespace {

enum Column { kLabel, kField, kSecondLabel, kSecondField, kColumns };

}  // namespace

FormGrid::FormGrid(QWidget* panel)
    : QGridLayout(panel->layout() ? nullptr : panel), m_panel(panel) {
  setContentsMargins(0, 0, 0, 0);
  setHorizontalSpacing(Space::kSmall);
  setVerticalSpacing(Space::kTight);
  setColumnStretch(kField, 1);
  setColumnStretch(kSecondField, 1);
  setColumnMinimumWidth(kLabel, labelWidth());
  setColumnMinimumWidth(kSecondLabel, QLabel(tr("Momentum")).sizeHint().width());
}

int FormGrid::labelWidth() {
  // The widest labels of all sections.
  return std::max(QLabel(tr("Learning rate")).sizeHint().width(),
                  QLabel(tr("Weight decay")).sizeHint().width());
}

QLabel* FormGrid::addLabel(int column, const QString& text, QWidget* buddy) {
  auto* label = new QLabel(text, m_panel);
  label->setBuddy(buddy);
  addWidget(label, m_row, column);
  return label;
}

QLabel* FormGrid::addLine(const QString& label, QWidget* field,
                          std::initializer_list<QWidget*> behind) {
  QLabel* result = addLabel(kLabel, label, field);
  auto* line = new QHBoxLayout;
  line->setSpacing(Space::kTight);
  line->addWidget(field, 1);
  for (QWidget* widget : behind) line->addWidget(widget);
  addLayout(line, m_row++, kField, 1, kColumns - kField);
  return result;
}

QLabel* FormGrid::addHalf(const QString& label, QWidget* field) {
  QLabel* result = addLabel(kLabel, label, field);
  addWidget(field, m_row++, kField);
  return result;
}

void FormGrid::addPair(const QString& label, QWidget* field, const QString& secondLabel,
                       QWidget* secondField) {
  addLabel(kLabel, label, field);
  addWidget(field, m_row, kField);
  addLabel(kSecondLabel, secondLabel, secondField);
  addWidget(secondField, m_row++, kSecondField);
}

void FormGrid::addUnder(QWidget* widget) {
  addWidget(widget, m_row++, kField, 1, kColumns - kField);
}

void FormGrid::addWide(QWidget* widget) {
  addWidget(widget, m_row++, kLabel, 1, kColumns);
}

}  // namespace convoy::ui
