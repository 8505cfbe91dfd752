// The status bar's account of the run: phase, progress, elapsed, remaining.
#pragma once

#include <QElapsedTimer>
#include <QTimer>
#include <QWidget>

#include "ui/bridge/engine_runner.h"
#include "ui/live/run_store.h"

class QLabel;
class QProgressBar;

namespace convoy::ui {

class RunStatus : public QWidget {
  Q_OBJECT

 public:
  RunStatus(const RunStore* store, const EngineRunner* runner, QWidget* parent = nullptr);

 private:
  void follow();
  void update();
  void restyle();
  QString phaseText() const;

  const RunStore* m_store;
  const EngineRunner* m_runner;
  QLabel* m_phase;
  QProgressBar* m_progress;
  QLabel* m_time;
  QElapsedTimer m_elapsed;
  QTimer m_second;
  quint64 m_job = 0;
};

// "0:07", "12:34", "1:02:03"
QString durationText(double seconds);

}  // namespace convoy::ui
