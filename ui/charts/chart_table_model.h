// The table twin of a chart: the same numbers for screen readers, for copying and for checking.
#pragma once

#include <QAbstractTableModel>

#include "ui/charts/chart_spec.h"

namespace convoy::ui {

class ChartTableModel : public QAbstractTableModel {
  Q_OBJECT

 public:
  explicit ChartTableModel(ChartTable table, QObject* parent = nullptr);

  // Tells the views what has changed since the last time: rows at the end, or everything.
  void refresh();

  int rowCount(const QModelIndex& parent = {}) const override;
  int columnCount(const QModelIndex& parent = {}) const override;
  QVariant data(const QModelIndex& index, int role) const override;
  QVariant headerData(int section, Qt::Orientation orientation, int role) const override;

 private:
  ChartTable m_table;
  int m_rows = 0;
};

}  // namespace convoy::ui
