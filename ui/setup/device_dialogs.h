// Two small forms that add devices: the CPU in parts, and a slower device that stands for another.
#pragma once

#include <QDialog>

#include "ui/models/experiment_document.h"

class QComboBox;
class QDialogButtonBox;
class QDoubleSpinBox;
class QLabel;
class QLineEdit;
class QSpinBox;

namespace convoy::ui {

// Replaces the set-up's CPU devices by one for each part of the cores.
class SplitCpuDialog : public QDialog {
  Q_OBJECT

 public:
  explicit SplitCpuDialog(ExperimentDocument* document, QWidget* parent = nullptr);

 private:
  void suggest(int parts);
  void check();
  void apply();

  ExperimentDocument* m_document;
  QSpinBox* m_count;
  QLineEdit* m_parts;  // "0-3 | 4-7"
  QLabel* m_note;
  QDialogButtonBox* m_buttons;
  std::vector<std::string> m_ids;
};

// Adds a device that waits after computing. Devices that it shares cores with are unticked, because
// two CPU devices cannot use one core.
class EmulatedDeviceDialog : public QDialog {
  Q_OBJECT

 public:
  explicit EmulatedDeviceDialog(ExperimentDocument* document, QWidget* parent = nullptr);

 private:
  void check();
  void apply();

  ExperimentDocument* m_document;
  QLineEdit* m_name;
  QComboBox* m_base;
  QSpinBox* m_speed;
  QComboBox* m_link;
  QLabel* m_note;
  QDialogButtonBox* m_buttons;
};

}  // namespace convoy::ui
