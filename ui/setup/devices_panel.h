// The table of devices and what can be done with its rows.
#pragma once

#include "ui/models/device_model.h"
#include "ui/setup/setup_panel.h"

class QTableView;
class QToolButton;
class QVBoxLayout;

namespace convoy::ui {

class DeviceDelegate;

class DevicesPanel : public SetupPanel {
  Q_OBJECT

 public:
  // From this width on every column has its own place; below, what the device is moves under its
  // name.
  static constexpr int kWideTable = 640;

  explicit DevicesPanel(ExperimentDocument* document, QWidget* parent = nullptr);
  QString summary() const override;
  void setRunning(bool running) override;
  DeviceModel* model() { return m_model; }

  // The run, of so many steps, goes on without the device, or with it again: says so, with a button
  // that asks for it.
  void setLost(const RunQuarantine& lost, int steps);
  void setReadmitted(const RunReadmission& back);
  void clearLost();  // the run has ended

 signals:
  void readmissionAsked(const QString& device);  // its name in the run

 protected:
  void showSetup(const Setup& setup) override;
  bool eventFilter(QObject* watched, QEvent* event) override;

 private:
  QToolButton* button(const QString& name, const QString& icon, const QString& text,
                      const QString& toolTip);
  void enableButtons();
  int currentRow() const;
  void select(int row);
  void dropLostRow(int device);
  void fitTable();

  DeviceModel* m_model;
  DeviceDelegate* m_delegate;
  QTableView* m_table;
  FieldNote* m_refusal;         // of an entry that the table did not take
  QHash<int, QWidget*> m_lost;  // by the run's device, in m_lostRows
  QVBoxLayout* m_lostRows;
  QList<QToolButton*> m_always;  // those that need no row
  bool m_running = false;
  QToolButton* m_remove;
  QToolButton* m_up;
  QToolButton* m_down;
};

}  // namespace convoy::ui
