// What joins the window to runs and predictions: starting, what they tell, what is kept of them.
#include <QDir>
#include <QFileInfo>
#include <QStandardPaths>

#include "ui/live/live_page.h"
#include "ui/main_window.h"
#include "ui/message_bar.h"
#include "ui/predict/predict_page.h"
#include "ui/setup/data_panel.h"
#include "ui/setup/devices_panel.h"
#include "ui/setup/setup_view.h"

namespace convoy::ui {
namespace {

const QString kCalibrationFile = QStringLiteral("/calibration.json");

// Every run has a folder of its own in here, so that its files are there from the first second on.
QString runsFolder() {
  return QStandardPaths::writableLocation(QStandardPaths::AppDataLocation) +
         QStringLiteral("/runs");
}

}  // namespace

void MainWindow::connectRun() {
  connect(&m_document, &ExperimentDocument::changed, this, [this] {
    // The link acts in the middle of a run.
    m_runner.setLink(m_document.setup().experiment.link);
    showState();
  });
  connect(&m_document, &ExperimentDocument::fileChanged, this, &MainWindow::showState);
  connect(&m_runner, &EngineRunner::stateChanged, this, &MainWindow::showState);
  connect(&m_runner, &EngineRunner::finished, this, &MainWindow::runEnded);
  connect(&m_runner, &EngineRunner::messageArrived, m_messages,
          qOverload<Severity, const QString&>(&MessageBar::add));
  connect(&m_runner, &EngineRunner::started, this,
          [this](const RunStarted& event) { m_started = event; });
  connect(&m_runner, &EngineRunner::calibrated, this, [this](const RunCalibrated& event) {
    m_setup->devicesPanel()->model()->setCalibration(m_started, event);
  });
  connect(&m_runner, &EngineRunner::quarantined, m_setup->devicesPanel(), &DevicesPanel::setLost);
  connect(&m_runner, &EngineRunner::readmitted, this, [this](const RunReadmission& event) {
    m_setup->devicesPanel()->setReadmitted(event.device);
    m_setup->devicesPanel()->model()->setReadmitted(event);
    m_messages->remove(m_lostTexts.take(event.device));
  });
  connect(m_setup->devicesPanel(), &DevicesPanel::readmissionAsked, &m_runner,
          [this](const QString& device) { m_runner.readmit(device.toStdString()); });
  connect(&m_runner, &EngineRunner::sharesChanged, this, [this](const RunShares& event) {
    m_setup->devicesPanel()->model()->setShares(m_started, event);
    if (event.change == ShareChange::kQuarantine) tellLost(event);
  });
  const auto saved = [this](const QString& path) {
    m_messages->add(Severity::kInfo, tr("Saved %1.").arg(QDir::toNativeSeparators(path)));
  };
  const auto failed = [this](const QString& text) { m_messages->add(Severity::kError, text); };
  connect(m_live, &LivePage::chartSaved, this, saved);
  connect(m_live, &LivePage::chartFailed, this, failed);
  connect(m_predict, &PredictPage::chartSaved, this, saved);
  connect(m_predict, &PredictPage::chartFailed, this, failed);
  connect(m_setup->dataPanel(), &DataPanel::messageArrived, m_messages,
          qOverload<Severity, const QString&>(&MessageBar::add));
}

bool MainWindow::startRun() {
  if (m_runner.isActive()) return false;
  if (!canRun(m_document.problems())) {
    for (const Problem& problem : m_document.problems())
      if (problem.severity == Severity::kError)
        m_messages->add(Severity::kError, tr("Cannot run yet. %1").arg(placedText(problem)));
    return false;
  }
  m_predictor.stopCalibration();  // would take its time from the run
  m_messages->clear();
  m_lostTexts.clear();
  m_setup->devicesPanel()->clearLost();
  m_setup->devicesPanel()->model()->clearCalibration();
  m_runner.start(m_document.experiment(), runsFolder().toStdString());
  return true;
}

void MainWindow::stopRun() {
  m_runner.stop();
}

void MainWindow::runEnded() {
  if (const auto& failure = m_runner.failure()) {
    m_messages->add(Severity::kError, failure->text);
    if (failure->kind == ErrorKind::kExperiment) {
      m_setup->setRunProblem(problemFrom(failure->where, failure->text));
    } else if (failure->kind == ErrorKind::kData) {
      const std::string& weights = m_document.setup().experiment.training.initial_weights;
      const bool ofWeights =
          !weights.empty() && failure->where.startsWith(QString::fromStdString(weights));
      m_setup->setRunProblem({ofWeights ? QStringLiteral("/training/initial_weights")
                                        : QStringLiteral("/dataset/path"),
                              Severity::kError, failure->text});
    }
  }
  m_setup->devicesPanel()->clearLost();  // nobody can be let in any more
  loadCalibration(runFolder());
  keepMeasured();
  showState();
  emit runFinished();
}

// A run that has kept what it began with is what a prediction can be held against.
void MainWindow::keepMeasured() {
  const auto& summary = m_runner.summary();
  if (summary && summary->step_ms && m_store.asBegun())
    m_predict->addMeasured({m_store.experiment(), *summary->step_ms, summary->speedup});
  else
    m_predict->update();
}

void MainWindow::connectPredictions() {
  connect(m_predict, &PredictPage::messageArrived, m_messages,
          qOverload<Severity, const QString&>(&MessageBar::add));
  if (!m_options.restoreSession) return;
  // The folders' names begin with the time.
  const QStringList runs =
      QDir(runsFolder()).entryList(QDir::Dirs | QDir::NoDotAndDotDot, QDir::Name | QDir::Reversed);
  for (const QString& run : runs) {
    const QString folder = QDir(runsFolder()).filePath(run);
    if (!QFileInfo::exists(folder + kCalibrationFile)) continue;
    loadCalibration(folder);
    break;
  }
}

void MainWindow::loadCalibration(const QString& folder) {
  const QString file = folder + kCalibrationFile;
  if (folder.isEmpty() || !QFileInfo::exists(file)) return;  // the run ended before it
  try {
    m_predictor.add(read_calibration(file.toStdString()));
  } catch (const Error& error) {
    m_messages->add(Severity::kWarning, QString::fromUtf8(error.what()));
  }
}

// The engine's own sentence, which is in the bar already, gets the buttons.
void MainWindow::tellLost(const RunShares& shares) {
  const QString text = QString::fromStdString(shares.reason);
  QList<MessageBar::Action> actions;
  for (int device = 0; device < m_store.deviceCount(); ++device) {
    const auto& lost = m_store.quarantine(device);
    if (!lost || m_lostTexts.contains(device)) continue;
    m_lostTexts.insert(device, text);
    actions.append({tr("Let %1 in Again").arg(QString::fromStdString(lost->name)),
                    [this, name = lost->name] { m_runner.readmit(name); }});
  }
  m_messages->add(Severity::kWarning, text, actions);
}

}  // namespace convoy::ui
