// Batch size, length, optimiser and seed.
#pragma once

#include "ui/setup/setup_panel.h"

class QComboBox;
class QDoubleSpinBox;
class QSpinBox;

namespace convoy::ui {

class TrainingPanel : public SetupPanel {
  Q_OBJECT

 public:
  explicit TrainingPanel(ExperimentDocument* document, QWidget* parent = nullptr);
  QString summary() const override;

 protected:
  void showSetup(const Setup& setup) override;

 private:
  QDoubleSpinBox* number(double max, int decimals, double step, const QString& name,
                         double SgdSettings::*field);

  QSpinBox* m_batch;
  QSpinBox* m_length;
  QComboBox* m_unit;  // steps or epochs
  QDoubleSpinBox* m_learningRate;
  QDoubleSpinBox* m_momentum;
  QDoubleSpinBox* m_weightDecay;
  QSpinBox* m_seed;
};

}  // namespace convoy::ui
