// How the work is split, and what the speedup is measured against.
#pragma once

#include "ui/setup/setup_panel.h"

class QComboBox;

namespace convoy::ui {

class MethodPanel : public SetupPanel {
  Q_OBJECT

 public:
  explicit MethodPanel(ExperimentDocument* document, QWidget* parent = nullptr);
  QString summary() const override;

 protected:
  void showSetup(const Setup& setup) override;

 private:
  QComboBox* m_shares;
  QComboBox* m_baseline;
};

}  // namespace convoy::ui
