// Presets, each layer's kernels, kernel size and padding, and what a step of it costs.
#pragma once

#include "ui/setup/setup_panel.h"

class QComboBox;
class QHBoxLayout;
class QLabel;
class QSpinBox;
class QToolButton;

namespace convoy::ui {

class NetworkPanel : public SetupPanel {
  Q_OBJECT

 public:
  static constexpr int kMaxLayers = 5;

  explicit NetworkPanel(ExperimentDocument* document, QWidget* parent = nullptr);
  QString summary() const override;

 protected:
  void showSetup(const Setup& setup) override;

 private:
  void setKernels(const QString& text, const QString& field, const std::vector<int>& kernels);

  QComboBox* m_preset;
  QList<QSpinBox*> m_layers;  // kMaxLayers of them, as many shown as there are layers
  QToolButton* m_add;
  QToolButton* m_remove;
  QSpinBox* m_kernelSize;
  QComboBox* m_padding;
  QLabel* m_cost;
};

}  // namespace convoy::ui
