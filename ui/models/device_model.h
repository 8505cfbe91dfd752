// The table of devices, over an ExperimentDocument: cells show its rows, edits go through its undo.
//
// What calibration measured is kept here, by device name, until the row changes or goes; so is who
// was lost on the way.
#pragma once

#include <QAbstractTableModel>
#include <QColor>
#include <QHash>

#include "engine/results/run_events.h"
#include "ui/models/experiment_document.h"

namespace convoy::ui {

class DeviceModel : public QAbstractTableModel {
  Q_OBJECT

 public:
  enum Column { Name, Kind, Units, Memory, Gflops, Share, Speed, Link, ColumnCount };
  enum Role {
    DetailRole = Qt::UserRole,  // "CPU · 2 cores · 16 GB", the second line of a narrow table
    MasterRole,                 // whether this is the master's own device
    PositionRole,               // place among the ticked devices, which decides the colour; or -1
    MissingRole,                // whether this machine has no such device
    MaxSpeedRole,               // in per cent, by the experiment's clock
    LostRole,                   // whether the run goes on without it
  };

  static constexpr int kMinSpeedPercent = 5;
  // Nothing makes a device faster than it is, but for a clock that is only computed.
  static constexpr int maxSpeedPercent(ClockMode clock) {
    return clock == ClockMode::kVirtual ? 10'000 : 100;
  }

  explicit DeviceModel(ExperimentDocument* document, QObject* parent = nullptr);

  int rowCount(const QModelIndex& parent = {}) const override;
  int columnCount(const QModelIndex& parent = {}) const override;
  QVariant data(const QModelIndex& index, int role = Qt::DisplayRole) const override;
  QVariant headerData(int section, Qt::Orientation orientation, int role) const override;
  Qt::ItemFlags flags(const QModelIndex& index) const override;
  bool setData(const QModelIndex& index, const QVariant& value, int role = Qt::EditRole) override;

  // While a run goes on, the table only shows.
  void setReadOnly(bool readOnly);

  // Where the row is afterwards; the same when it cannot move.
  int moveRowBy(int row, int offset);
  void removeRowAt(int row);

  void setCalibration(const RunStarted& run, const RunCalibrated& calibrated);
  void clearCalibration();
  // Shares that change during the run; by the run's devices.
  void setShares(const RunStarted& run, const RunShares& shares);
  // The run goes on without the device, or with it again.
  void setLost(const RunQuarantine& lost);
  void setReadmitted(const RunReadmission& back);
  void clearLost();

 signals:
  // An entry that was typed but cannot be, and what would be valid.
  void refused(const QString& text);

 private:
  struct Measured {
    DeviceSpec spec;
    double gflops = 0.0;
    double share = 0.0;
  };

  void refresh();
  const DeviceRow& row(int index) const { return m_rows[static_cast<size_t>(index)]; }
  QString nameOf(int row) const;
  int position(int row) const;
  const Measured* measured(int row) const;
  QString runName(int row) const;  // what a run calls it
  QVariant display(const QModelIndex& index) const;
  QString toolTip(int row, int column) const;

  ExperimentDocument* m_document;
  std::vector<DeviceRow> m_rows;
  std::vector<std::optional<DeviceInfo>> m_infos;  // of the rows
  QHash<QString, Measured> m_measured;
  QHash<QString, QString> m_lost;  // name -> why
  bool m_readOnly = false;
};

// "out since step 3": of a run of so many steps.
QString outSinceText(const RunQuarantine& lost, int steps);

}  // namespace convoy::ui
