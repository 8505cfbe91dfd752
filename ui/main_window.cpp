#include "ui/main_window.h"

#include <QActionGroup>
#include <QApplication>
#include <QCloseEvent>
#include <QDir>
#include <QDockWidget>
#include <QDragEnterEvent>
#include <QFileDialog>
#include <QFileInfo>
#include <QMimeData>
#include <QStandardPaths>
#include <QStatusBar>
#include <QVBoxLayout>
#include <algorithm>

#include "ui/elided_label.h"
#include "ui/icon.h"
#include "ui/live/live_page.h"
#include "ui/message_bar.h"
#include "ui/presets_menu.h"
#include "ui/recent_files.h"
#include "ui/run_status.h"
#include "ui/setup/data_panel.h"
#include "ui/setup/devices_panel.h"
#include "ui/setup/setup_view.h"

namespace convoy::ui {
namespace {

// Every run has a folder of its own in here, so that its files are there from the first second on.
QString runsFolder() {
  return QStandardPaths::writableLocation(QStandardPaths::AppDataLocation) +
         QStringLiteral("/runs");
}

QString droppedPath(const QMimeData* data) {
  const QList<QUrl> urls = data->urls();
  if (urls.size() != 1 || !urls.front().isLocalFile()) return {};
  const QFileInfo info(urls.front().toLocalFile());
  const bool taken = info.isDir() || info.suffix().compare("json", Qt::CaseInsensitive) == 0;
  return taken ? info.absoluteFilePath() : QString();
}

// The problem with the section that it is in, for places far from its field.
QString placedText(const Problem& problem) {
  static const std::pair<const char*, QString> kSections[] = {
      {"/devices", MainWindow::tr("Devices")},   {"/network", MainWindow::tr("Network")},
      {"/training", MainWindow::tr("Training")}, {"/link", MainWindow::tr("Link")},
      {"/dataset", MainWindow::tr("Data")},      {"/distribution", MainWindow::tr("Method")},
      {"/baseline", MainWindow::tr("Method")},   {"/clock", MainWindow::tr("Method")}};
  for (const auto& [path, title] : kSections)
    if (problem.path.startsWith(QLatin1String(path)))
      return MainWindow::tr("%1: %2").arg(title, problem.text);
  return problem.text;
}

}  // namespace

MainWindow::MainWindow(const DeviceCatalog& catalog, const Options& options)
    : m_options(options), m_document(catalog), m_runner(&m_store, nullptr, options.engine) {
  setObjectName(QStringLiteral("mainWindow"));
  setWindowIcon(applicationIcon());
  setAcceptDrops(true);
  setDockOptions(AnimatedDocks | AllowTabbedDocks | AllowNestedDocks);

  m_setup = new SetupView(&m_document, this);
  m_setupDock = new QDockWidget(tr("Set-up"), this);
  m_setupDock->setObjectName(QStringLiteral("setupDock"));
  m_setupDock->setWidget(m_setup);
  m_setupDock->setAllowedAreas(Qt::LeftDockWidgetArea | Qt::RightDockWidgetArea);
  addDockWidget(Qt::LeftDockWidgetArea, m_setupDock);

  auto* page = new QWidget(this);
  auto* layout = new QVBoxLayout(page);
  layout->setContentsMargins(0, 0, 0, 0);
  layout->setSpacing(0);
  m_messages = new MessageBar(page);
  m_live = new LivePage(m_store, page);
  layout->addWidget(m_messages);
  layout->addWidget(m_live, 1);
  setCentralWidget(page);
  statusBar()->addWidget(new RunStatus(&m_store, &m_runner, this), 1);

  makeActions();
  makeMenus();
  makeToolBar();
  connectRun();
  for (const QString& message : catalog.messages()) m_messages->add(Severity::kWarning, message);

  resize(1280, 800);
  resizeDocks({m_setupDock}, {m_setup->sizeHint().width()}, Qt::Horizontal);
  m_defaultLayout = saveState();
  if (m_options.restoreSession) readSettings();
  showState();
}

MainWindow::~MainWindow() {
  m_runner.shutDown();
}

void MainWindow::connectRun() {
  connect(&m_document, &ExperimentDocument::changed, this, [this] {
    // The link acts in the middle of a run.
    m_runner.setLink(m_document.setup().experiment.link);
    showState();
  });
  connect(&m_document, &ExperimentDocument::fileChanged, this, &MainWindow::showState);
  connect(&m_runner, &EngineRunner::stateChanged, this, &MainWindow::showState);
  connect(&m_runner, &EngineRunner::finished, this, &MainWindow::runEnded);
  connect(&m_runner, &EngineRunner::messageArrived, m_messages, &MessageBar::add);
  connect(&m_runner, &EngineRunner::started, this,
          [this](const RunStarted& event) { m_started = event; });
  connect(&m_runner, &EngineRunner::calibrated, this, [this](const RunCalibrated& event) {
    m_setup->devicesPanel()->model()->setCalibration(m_started, event);
  });
  connect(m_live, &LivePage::chartSaved, this, [this](const QString& path) {
    m_messages->add(Severity::kInfo, tr("Saved %1.").arg(QDir::toNativeSeparators(path)));
  });
  connect(m_live, &LivePage::chartFailed, this,
          [this](const QString& text) { m_messages->add(Severity::kError, text); });
  connect(m_setup->dataPanel(), &DataPanel::messageArrived, m_messages, &MessageBar::add);
}

bool MainWindow::startRun() {
  if (m_runner.isActive()) return false;
  if (!canRun(m_document.problems())) {
    for (const Problem& problem : m_document.problems())
      if (problem.severity == Severity::kError)
        m_messages->add(Severity::kError, tr("Cannot run yet. %1").arg(placedText(problem)));
    return false;
  }
  m_messages->clear();
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
  showState();
  emit runFinished();
}

// Enabled or not, checked or not, and the title: all of it follows from what the run and the
// document are.
void MainWindow::showState() {
  const EngineRunner::State state = m_runner.state();
  const bool active = m_runner.isActive();
  const bool paused = state == EngineRunner::State::Paused;
  const QList<Problem> problems = m_document.problems();
  const bool ready = canRun(problems);
  const auto obstacle = std::find_if(problems.begin(), problems.end(), [](const Problem& problem) {
    return problem.severity == Severity::kError;
  });
  m_live->setPaused(paused);
  m_live->setObstacle(obstacle == problems.end() ? QString() : placedText(*obstacle));
  m_run->setEnabled(!active && ready);
  m_run->setToolTip(ready ? tr("Run the experiment (Ctrl+R)")
                          : tr("The set-up has a fault; it is shown next to its field."));
  m_pause->setEnabled(active && state != EngineRunner::State::Stopping);
  m_pause->setText(paused ? tr("Resu&me") : tr("&Pause"));
  m_pause->setIcon(themedIcon(paused ? QStringLiteral("run") : QStringLiteral("pause")));
  m_pause->setToolTip(paused ? tr("Go on (F6)") : tr("Wait between two steps (F6)"));
  m_stop->setEnabled(active && state != EngineRunner::State::Stopping);
  m_setup->setRunning(active);
  for (QAction* edit : {m_new, m_open}) edit->setEnabled(!active);
  m_recent->setEnabled(!active);
  m_presets->setEnabled(!active);
  m_undo->setEnabled(!active && m_document.undoStack()->canUndo());
  m_redo->setEnabled(!active && m_document.undoStack()->canRedo());
  m_exportRun->setEnabled(!runFolder().isEmpty() && QDir(runFolder()).exists());
  m_exportCharts->setEnabled(m_store.stepCount() > 0);

  const QString file = m_document.file();
  const QString name = QString::fromStdString(m_document.setup().experiment.name);
  setWindowFilePath(file);
  setWindowTitle(tr("%1[*] – Convoy")
                     .arg(file.isEmpty() ? tr("Untitled experiment") : QFileInfo(file).fileName()));
  setWindowModified(m_document.isModified());
  m_title->setText(name);
  m_title->setToolTip(name);
}

QString MainWindow::runFolder() const {
  return QString::fromStdString(m_runner.folder().string());
}

bool MainWindow::openFile(const QString& file) {
  try {
    m_document.open(file);
  } catch (const Error& error) {
    m_messages->add(Severity::kError, QString::fromUtf8(error.what()));
    if (m_options.restoreSession && !QFileInfo::exists(file)) m_recent->remove(file);
    return false;
  }
  if (m_options.restoreSession) m_recent->add(m_document.file());
  return true;
}

// A preset is a beginning: it is saved under a name of one's own.
void MainWindow::openPreset(const QString& resource) {
  QFile file(resource);
  if (!file.open(QIODevice::ReadOnly)) return;  // built in
  m_document.restore(parse_experiment(file.readAll().toStdString(), resource.toStdString()), {},
                     false);
}

void MainWindow::chooseFileToOpen() {
  auto* dialog =
      new QFileDialog(this, tr("Open Experiment"), QFileInfo(m_document.file()).absolutePath(),
                      tr("Experiments (*.json)"));
  dialog->setFileMode(QFileDialog::ExistingFile);
  dialog->setAttribute(Qt::WA_DeleteOnClose);
  connect(dialog, &QFileDialog::fileSelected, this, &MainWindow::openFile);
  dialog->open();
}

void MainWindow::save() {
  if (m_document.file().isEmpty())
    chooseFileToSave();
  else
    saveTo(m_document.file());
}

void MainWindow::chooseFileToSave() {
  auto* dialog =
      new QFileDialog(this, tr("Save Experiment"), QFileInfo(m_document.file()).absolutePath(),
                      tr("Experiments (*.json)"));
  dialog->setAcceptMode(QFileDialog::AcceptSave);
  dialog->setDefaultSuffix(QStringLiteral("json"));
  dialog->setAttribute(Qt::WA_DeleteOnClose);
  connect(dialog, &QFileDialog::fileSelected, this, &MainWindow::saveTo);
  dialog->open();
}

bool MainWindow::saveTo(const QString& file) {
  try {
    m_document.save(file);
  } catch (const Error& error) {
    m_messages->add(Severity::kError, QString::fromUtf8(error.what()));
    return false;
  }
  if (m_options.restoreSession) m_recent->add(m_document.file());
  return true;
}

void MainWindow::chooseFolder(const QString& title,
                              const std::function<void(const QString&)>& use) {
  auto* dialog = new QFileDialog(this, title);
  dialog->setFileMode(QFileDialog::Directory);
  dialog->setOption(QFileDialog::ShowDirsOnly);
  dialog->setAttribute(Qt::WA_DeleteOnClose);
  connect(dialog, &QFileDialog::fileSelected, this, use);
  dialog->open();
}

bool MainWindow::exportRun(const QString& folder) {
  QStringList copied;
  for (const QFileInfo& file : QDir(runFolder()).entryInfoList(QDir::Files)) {
    const QString target = QDir(folder).filePath(file.fileName());
    QFile::remove(target);
    QFile source(file.absoluteFilePath());
    if (!source.copy(target)) {
      m_messages->add(Severity::kError,
                      tr("%1 could not be written: %2").arg(target, source.errorString()));
      return false;
    }
    copied.append(file.fileName());
  }
  m_messages->add(Severity::kInfo,
                  tr("Saved in %1: %2")
                      .arg(QDir::toNativeSeparators(folder), copied.join(QStringLiteral(", "))));
  return true;
}

void MainWindow::closeEvent(QCloseEvent* event) {
  if (m_options.restoreSession) writeSettings();
  // Stop first, so that the run ends while the window goes.
  m_runner.stop();
  m_setup->dataPanel()->download()->cancel();
  hide();
  m_runner.shutDown();
  event->accept();
}

void MainWindow::dragEnterEvent(QDragEnterEvent* event) {
  if (!m_runner.isActive() && !droppedPath(event->mimeData()).isEmpty())
    event->acceptProposedAction();
}

void MainWindow::dropEvent(QDropEvent* event) {
  const QString path = droppedPath(event->mimeData());
  if (path.isEmpty() || m_runner.isActive()) return;
  event->acceptProposedAction();
  if (QFileInfo(path).isDir())
    m_setup->dataPanel()->useFolder(path);
  else
    openFile(path);
}

}  // namespace convoy::ui
