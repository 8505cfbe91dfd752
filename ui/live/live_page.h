// The run as it goes: a line that says what is happening, tiles with the numbers that matter, and
// four charts; a fifth, of the shares, behind the first where shares have changed. Everything shown
// comes from the store, which must outlive the page, and follows its changed().
#pragma once

#include <QList>
#include <QStringList>
#include <QWidget>

#include "ui/charts/chart.h"

class QAction;
class QLabel;
class QStackedWidget;

namespace convoy::ui {

class RunStore;
class Tile;

class LivePage : public QWidget {
  Q_OBJECT

 public:
  explicit LivePage(RunStore& store, QWidget* parent = nullptr);

  // charts() is without the one of the shares, which comes and goes.
  const QList<Chart*>& charts() const { return m_charts; }
  Chart* sharesChart() const { return m_shares; }
  QList<Chart*> allCharts() const;
  // What keeps the set-up from being run; empty when nothing does. Shown before a run.
  void setObstacle(const QString& text);
  void setPaused(bool paused);
  // The state as shown: "Training", ...
  QString statusText() const;

 signals:
  void chartSaved(const QString& path);
  void chartFailed(const QString& message);

 protected:
  void showEvent(QShowEvent* event) override;

 private:
  void refresh();
  void refreshStatus();
  void refreshTiles();
  void restyle();
  void refreshShares();
  void connectChart(Chart* chart);

  RunStore& m_store;
  QString m_obstacle;
  bool m_paused = false;
  QLabel* m_status = nullptr;
  QLabel* m_clock = nullptr;  // says that the run's times are virtual
  QLabel* m_detail = nullptr;
  Tile* m_speedup = nullptr;
  Tile* m_efficiency = nullptr;
  Tile* m_stepTime = nullptr;
  Tile* m_images = nullptr;
  Tile* m_loss = nullptr;
  Tile* m_accuracy = nullptr;
  Tile* m_timeLeft = nullptr;
  QList<Chart*> m_charts;
  QStackedWidget* m_devices = nullptr;  // their times, or their shares
  Chart* m_shares = nullptr;            // only where shares have changed
  int m_sharesOf = -1;                  // the store's generation that it shows
  QAction* m_showShares = nullptr;
  QAction* m_showTimes = nullptr;
};

}  // namespace convoy::ui
