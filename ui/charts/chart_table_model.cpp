#include "ui/charts/chart_table_model.h"

#include "ui/charts/nice_range.h"

namespace convoy::ui {

ChartTableModel::ChartTableModel(ChartTable table, QObject* parent)
    : QAbstractTableModel(parent), m_table(std::move(table)), m_rows(m_table.rows()) {}

void ChartTableModel::refresh() {
  const int rows = m_table.rows();
  if (rows < m_rows) {
    beginResetModel();
    m_rows = rows;
    endResetModel();
    return;
  }
  if (rows > m_rows) {
    beginInsertRows({}, m_rows, rows - 1);
    m_rows = rows;
    endInsertRows();
  }
  if (m_rows > 0) emit dataChanged(index(0, 0), index(m_rows - 1, columnCount() - 1));
}

int ChartTableModel::rowCount(const QModelIndex& parent) const {
  return parent.isValid() ? 0 : m_rows;
}

int ChartTableModel::columnCount(const QModelIndex& parent) const {
  return parent.isValid() ? 0 : int(m_table.headers.size());
}

QVariant ChartTableModel::data(const QModelIndex& index, int role) const {
  // The run may have been reset since the last refresh(); the views learn of it there.
  if (!index.isValid() || index.row() >= m_table.rows()) return {};
  if (role == Qt::TextAlignmentRole && index.column() > 0)
    return QVariant(Qt::AlignRight | Qt::AlignVCenter);
  if (role != Qt::DisplayRole && role != Qt::EditRole && role != Qt::ToolTipRole) return {};
  const QVariant cell = m_table.cell(index.row(), index.column());
  if (role == Qt::EditRole || cell.typeId() != QMetaType::Double) return cell;
  if (role == Qt::ToolTipRole) return QString::number(cell.toDouble(), 'g', 17);
  const double value = cell.toDouble();
  return index.column() == 0 ? QString::number(value, 'g', 10) : readable(value);
}

QVariant ChartTableModel::headerData(int section, Qt::Orientation orientation, int role) const {
  if (role != Qt::DisplayRole || section < 0) return {};
  if (orientation == Qt::Vertical) return section + 1;
  return section < m_table.headers.size() ? QVariant(m_table.headers[section]) : QVariant();
}

}  // namespace convoy::ui
