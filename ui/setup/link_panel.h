// The default link: bandwidth on a logarithmic slider, latency, duplex. Acts during a run too.
#pragma once

#include "ui/setup/setup_panel.h"

class QComboBox;
class QDoubleSpinBox;
class QSlider;
class QToolButton;

namespace convoy::ui {

class LinkPanel : public SetupPanel {
  Q_OBJECT

 public:
  static constexpr double kMinMbps = 1.0, kMaxMbps = 10'000.0;
  static constexpr int kStepsPerDecade = 100;
  static constexpr int kUnlimited = 4 * kStepsPerDecade + 30;  // the slider's last place

  explicit LinkPanel(ExperimentDocument* document, QWidget* parent = nullptr);
  QString summary() const override;
  void setRunning(bool) override {}  // acts at once

  // The slider's place for a bandwidth and back, logarithmic; nothing is unlimited.
  static int place(std::optional<double> mbps);
  static std::optional<double> bandwidth(int place);

 protected:
  void showSetup(const Setup& setup) override;

 private:
  void setBandwidth(std::optional<double> mbps);

  QSlider* m_slider;
  QList<std::pair<QToolButton*, std::optional<double>>> m_stops;  // each with its bandwidth
  QDoubleSpinBox* m_bandwidth;
  QDoubleSpinBox* m_latency;
  QComboBox* m_duplex;
};

}  // namespace convoy::ui
