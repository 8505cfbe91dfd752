// The two small tables of the Predict page: what each option is worth, and predictions beside
// measurements.
#pragma once

#include <QAbstractTableModel>

#include "ui/predict/prediction_data.h"

namespace convoy::ui {

class OptionTable : public QAbstractTableModel {
  Q_OBJECT

 public:
  enum Column { Name, Traffic, TrafficSaved, Time, TimeSaved, ColumnCount };

  using QAbstractTableModel::QAbstractTableModel;
  void setOptions(const std::vector<OptionWorth>& options);

  int rowCount(const QModelIndex& parent = {}) const override;
  int columnCount(const QModelIndex& parent = {}) const override;
  QVariant data(const QModelIndex& index, int role = Qt::DisplayRole) const override;
  QVariant headerData(int section, Qt::Orientation orientation, int role) const override;

 private:
  QVariant display(const OptionWorth& option, int column) const;

  std::vector<OptionWorth> m_options;  // the first is what savings count from
};

class CheckTable : public QAbstractTableModel {
  Q_OBJECT

 public:
  enum Column { Run, Measured, Predicted, Error, ColumnCount };

  using QAbstractTableModel::QAbstractTableModel;
  void setChecks(const std::vector<PredictionCheck>& checks);

  int rowCount(const QModelIndex& parent = {}) const override;
  int columnCount(const QModelIndex& parent = {}) const override;
  QVariant data(const QModelIndex& index, int role = Qt::DisplayRole) const override;
  QVariant headerData(int section, Qt::Orientation orientation, int role) const override;

 private:
  std::vector<PredictionCheck> m_checks;
};

}  // namespace convoy::ui
