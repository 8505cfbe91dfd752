// A titled card with a small table in it, of the same look as a chart's card.
#pragma once

#include <QFrame>

class QAbstractItemModel;
class QLabel;
class QTableView;

namespace convoy::ui {

class TableCard : public QFrame {
  Q_OBJECT

 public:
  // The first column takes what the others leave.
  TableCard(const QString& title, const QString& description, QAbstractItemModel* model,
            QWidget* parent = nullptr);

  QTableView* table() { return m_table; }
  // Room for so many without scrolling.
  void setRowsShown(int rows);

 protected:
  void paintEvent(QPaintEvent* event) override;

 private:
  void restyle();

  int m_rowsShown = 0;
  QLabel* m_title;
  QTableView* m_table;
};

}  // namespace convoy::ui
