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
  // The first column, of names, takes what the others leave.
  TableCard(const QString& title, const QString& description, QAbstractItemModel* model,
            QWidget* parent = nullptr);

  QTableView* table() { return m_table; }
  // Stands in the place of a table without rows.
  void setEmptyText(const QString& text);
  // Names that have no room in one line break at their spaces; else they are cut.
  void setNamesBroken(bool broken);
  // With which nothing is cut: what the columns need, and what is around them.
  int widthNeeded() const;
  // Room for so many without scrolling, where there is room; for fewer in a small window.
  void setRowsShown(int least, int most);

 protected:
  void paintEvent(QPaintEvent* event) override;
  bool eventFilter(QObject* watched, QEvent* event) override;
  QSize sizeHint() const override;

 private:
  void restyle();
  void showEmptiness();
  int heightOf(int rows) const;  // of the table
  void fitRows();
  void fitColumns();
  int widthOfColumn(int column) const;
  int marginOfNames() const;
  int widthOfNames(bool broken) const;  // at their spaces

  int m_leastRows = 0, m_mostRows = 0;
  QLabel* m_title;
  QTableView* m_table;
  QLabel* m_empty;
};

}  // namespace convoy::ui
