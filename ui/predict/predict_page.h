// The experiment without running it: what a step will take, over bandwidth, devices or batch size,
// by each method; what each option is worth; and how far earlier predictions were off.
//
// Follows the document while it is visible. Calculated elsewhere, by the predictor, which must
// outlive the page.
#pragma once

#include <QTimer>
#include <QWidget>

#include "ui/charts/chart.h"
#include "ui/models/experiment_document.h"
#include "ui/predict/predict_charts.h"

class QButtonGroup;
class QHBoxLayout;
class QLabel;
class QProgressBar;
class QPushButton;
class QStackedWidget;
class QTableView;

namespace convoy::ui {

class CheckTable;
class OptionTable;
class Predictor;
class TableCard;
class Tile;

class PredictPage : public QWidget {
  Q_OBJECT

 public:
  PredictPage(ExperimentDocument* document, Predictor* predictor, QWidget* parent = nullptr);

  // A run that has ended, to show beside the predictions.
  void addMeasured(const MeasuredRun& run);
  // What keeps the set-up from being calibrated; empty when nothing does.
  void setObstacle(const QString& text);
  // Asks for everything anew: the set-up or what is known of the devices has changed.
  void update();
  void setAxis(PredictAxis axis);

  const PredictionData& data() const { return m_data; }
  // Of the axis that is shown: step time, speedup.
  QList<Chart*> charts() const { return m_charts.mid(2 * int(m_axis), 2); }
  // None before anything is predicted.
  QList<Chart*> chartsToSave() const;

 signals:
  void messageArrived(convoy::Severity severity, const QString& text);
  void chartSaved(const QString& path);
  void chartFailed(const QString& message);
  // What is shown is now the set-up's as it is.
  void settled();

 protected:
  void showEvent(QShowEvent* event) override;

 private:
  QWidget* makeEmpty();
  QWidget* makeContent();
  QWidget* makeAxisLine();
  QWidget* makeTables();
  void shareTables();
  void connectPredictor();
  void ask();
  void take(const PredictionData& data);
  void refresh();
  void refreshTiles();
  void restyle();
  void calibrate(const Experiment& experiment);
  Experiment nextBatch() const;  // twice the largest batch that is calibrated

  ExperimentDocument* m_document;
  Predictor* m_predictor;
  QTimer m_asking;  // a slider asks faster than anybody can look
  QString m_obstacle;
  PredictAxis m_axis = PredictAxis::Bandwidth;
  std::vector<MeasuredRun> m_measured;
  PredictionData m_data;
  ShownCurves m_shown[kPredictAxes];

  QStackedWidget* m_stack;  // empty, content
  QLabel* m_emptyTitle = nullptr;
  QLabel* m_emptyText = nullptr;
  QPushButton* m_calibrate = nullptr;
  QProgressBar* m_progress = nullptr;
  QLabel* m_progressText = nullptr;
  QPushButton* m_stop = nullptr;

  QLabel* m_verdict = nullptr;
  Tile* m_stepTime = nullptr;
  Tile* m_speedup = nullptr;
  Tile* m_communication = nullptr;
  Tile* m_traffic = nullptr;
  Tile* m_breakEven = nullptr;
  QButtonGroup* m_axes = nullptr;
  QLabel* m_axisHint = nullptr;
  QPushButton* m_moreBatches = nullptr;
  QPushButton* m_again = nullptr;
  QStackedWidget* m_chartPages = nullptr;
  QList<Chart*> m_charts;  // [axis * 2 + (0: step time, 1: speedup)]
  QHBoxLayout* m_tables = nullptr;
  TableCard* m_optionCard = nullptr;
  TableCard* m_checkCard = nullptr;
  OptionTable* m_options;
  CheckTable* m_checks;
};

}  // namespace convoy::ui
