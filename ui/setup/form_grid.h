// The form of a section: labels and fields in up to two columns, with notes between the lines. The
// columns of all sections stand in line. A label opens its field with its mnemonic.
#pragma once

#include <QGridLayout>
#include <initializer_list>

class QLabel;

namespace convoy::ui {

class FormGrid : public QGridLayout {
  Q_OBJECT

 public:
  // Of the column of labels, for what has to stand in line with it.
  static int labelWidth();

  // Becomes the panel's layout unless it has one.
  explicit FormGrid(QWidget* panel);

  // A line with one field, as wide as the form; further widgets follow it on the same line.
  QLabel* addLine(const QString& label, QWidget* field,
                  std::initializer_list<QWidget*> behind = {});
  // A line with one field in the left half.
  QLabel* addHalf(const QString& label, QWidget* field);
  // A line with two fields.
  void addPair(const QString& label, QWidget* field, const QString& secondLabel,
               QWidget* secondField);
  // A line below a field that explains it, in line with it.
  void addUnder(QWidget* widget);
  // A line without a label: a note, a bar.
  void addWide(QWidget* widget);

 private:
  QLabel* addLabel(int column, const QString& text, QWidget* buddy);

  QWidget* m_panel;
  int m_row = 0;
};

}  // namespace convoy::ui
