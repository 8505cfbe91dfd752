// What joins the window to runs and predictions: starting, what they tell, what is kept of them.
#include <QDir>
#include <QFileInfo>
#include <QPointer>
#include <QStandardPaths>
#include <QTabWidget>

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
  connect(&m_runner, &EngineRunner::messageArrived, this, &MainWindow::tell);
  connect(&m_runner, &EngineRunner::started, this,
          [this](const RunStarted& event) { m_started = event; });
  connect(&m_runner, &EngineRunner::calibrated, this, [this](const RunCalibrated& event) {
    m_setup->devicesPanel()->model()->setCalibration(m_started, event);
  });
  connect(&m_runner, &EngineRunner::quarantined, this, [this](const RunQuarantine& event) {
    const QString name = QString::fromStdString(event.name);
    settleLost(name);
    m_untold.append(name);
    m_setup->devicesPanel()->setLost(event, m_started.steps);
  });
  connect(&m_runner, &EngineRunner::readmitted, this, [this](const RunReadmission& event) {
    m_setup->devicesPanel()->setReadmitted(event);
    settleLost(QString::fromStdString(event.name));
  });
  connect(m_setup->devicesPanel(), &DevicesPanel::readmissionAsked, this, &MainWindow::letIn);
  connect(&m_runner, &EngineRunner::sharesChanged, this, [this](const RunShares& event) {
    m_setup->devicesPanel()->model()->setShares(m_started, event);
    if (event.change != ShareChange::kRebalance) return;
    // Only the last is news; the chart of the shares has them all.
    const QString text = QString::fromStdString(event.reason);
    if (text != m_rebalanceText) m_messages->remove(std::exchange(m_rebalanceText, text));
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
  m_untold.clear();
  m_lostTexts.clear();
  m_askedTexts.clear();
  m_rebalanceText.clear();
  m_setup->devicesPanel()->clearLost();
  m_setup->devicesPanel()->model()->clearCalibration();
  const QPointer<QWidget> focus = focusWidget();
  m_runner.start(m_document.experiment(), runsFolder().toStdString());
  // A run disables the field where somebody typed last. Qt would go on to whatever comes next
  // there.
  if (focus && focus != focusWidget() && m_setup->isAncestorOf(focus))
    m_pages->currentWidget()->setFocus();
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
  // Nobody can be let in any more.
  m_setup->devicesPanel()->clearLost();
  for (const QString& text : std::as_const(m_lostTexts)) m_messages->withdraw(text);
  for (const QString& text : std::as_const(m_askedTexts)) m_messages->remove(text);
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

// The engine's own sentence on what has just been lost gets the buttons.
void MainWindow::tell(Severity severity, const QString& text) {
  if (severity != Severity::kWarning || m_untold.isEmpty()) {
    m_messages->add(severity, text);
    return;
  }
  for (const QString& device : std::exchange(m_untold, {})) m_lostTexts.insert(device, text);
  showLost(text);
}

// One message may tell of several devices: a button for each that is still out.
void MainWindow::showLost(const QString& text) {
  QList<MessageBar::Action> actions;
  for (const QString& device : m_lostTexts.keys(text))
    actions.append({tr("Let %1 in Again").arg(device), [this, device] { letIn(device); }});
  if (actions.isEmpty())
    m_messages->remove(text);
  else
    m_messages->add(Severity::kWarning, text, actions);
}

// A step may take long: whoever clicks hears at once that it was heard.
void MainWindow::letIn(const QString& device) {
  m_runner.readmit(device.toStdString());
  const QString text =
      tr("%1 is measured before the next step, then takes part again.").arg(device);
  m_askedTexts.insert(device, text);
  m_messages->add(Severity::kInfo, text);
}

// It is back, or out for another reason: what was said before is past.
void MainWindow::settleLost(const QString& device) {
  m_messages->remove(m_askedTexts.take(device));
  if (const QString text = m_lostTexts.take(device); !text.isEmpty()) showLost(text);
}

}  // namespace convoy::ui
