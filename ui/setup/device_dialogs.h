// Two small forms that add devices: the CPU in parts, and a slower device that stands for another.
#pragma once

#include <QDialog>

#include "ui/models/experiment_document.h"

class QComboBox;
class QFormLayout;
class QLabel;
class QLineEdit;
class QPushButton;
class QSpinBox;

namespace convoy::ui {

// What both have in common: a sentence, a form, a note that says what is wrong or will happen, and
// buttons of which the first can only be pressed when nothing is wrong.
class DeviceDialog : public QDialog {
  Q_OBJECT

 protected:
  DeviceDialog(ExperimentDocument* document, const QString& title, const QString& intro,
               const QString& verb, QWidget* parent);

  ExperimentDocument* document() const { return m_document; }
  void addField(const QString& label, QWidget* field);
  // What is wrong, or with another severity what will happen.
  void showNote(const QString& text, Severity severity);
  virtual void apply() = 0;

 private:
  ExperimentDocument* m_document;
  QFormLayout* m_form;
  QLabel* m_note;
  QPushButton* m_ok;
};

// Replaces the set-up's CPU devices by one for each part of the cores.
class SplitCpuDialog : public DeviceDialog {
  Q_OBJECT

 public:
  explicit SplitCpuDialog(ExperimentDocument* document, QWidget* parent = nullptr);

 protected:
  void apply() override;

 private:
  void suggest(int parts);
  void check();

  QSpinBox* m_count;
  QLineEdit* m_parts;  // "0-3 | 4-7"
  std::vector<std::string> m_ids;
};

// Adds a device that stands for another. By the wall clock it waits after computing, and devices
// that it shares cores with are unticked, because two CPU devices cannot use one core; the virtual
// clock takes any speed, and any number on the same cores.
class EmulatedDeviceDialog : public DeviceDialog {
  Q_OBJECT

 public:
  explicit EmulatedDeviceDialog(ExperimentDocument* document, QWidget* parent = nullptr);

 protected:
  void apply() override;

 private:
  void check();
  // Whether the row cannot be ticked beside the added device.
  bool excludes(const DeviceRow& row, const DeviceInfo& added) const;

  bool m_virtual;
  QLineEdit* m_name;
  QComboBox* m_base;
  QSpinBox* m_speed;
  QComboBox* m_link;
};

}  // namespace convoy::ui
