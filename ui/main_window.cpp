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
#include <QScreen>
#include <QStatusBar>
#include <QTabWidget>
#include <QToolBar>
#include <QVBoxLayout>
#include <algorithm>
#include <utility>

#include "ui/elided_label.h"
#include "ui/icon.h"
#include "ui/live/live_page.h"
#include "ui/message_bar.h"
#include "ui/predict/predict_page.h"
#include "ui/presets_menu.h"
#include "ui/recent_files.h"
#include "ui/run_status.h"
#include "ui/setup/data_panel.h"
#include "ui/setup/devices_panel.h"
#include "ui/setup/setup_view.h"
#include "ui/tab_order.h"

namespace convoy::ui {
namespace {

QString droppedPath(const QMimeData* data) {
  const QList<QUrl> urls = data->urls();
  if (urls.size() != 1 || !urls.front().isLocalFile()) return {};
  const QFileInfo info(urls.front().toLocalFile());
  const bool taken = info.isDir() || info.suffix().compare("json", Qt::CaseInsensitive) == 0;
  return taken ? info.absoluteFilePath() : QString();
}

}  // namespace

MainWindow::MainWindow(const DeviceCatalog& catalog, const Options& options)
    : m_options(options),
      m_document(catalog),
      m_predictor(nullptr, options.calibrate),
      m_runner(&m_store, nullptr, options.engine) {
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

  makePages();
  statusBar()->addWidget(new RunStatus(&m_store, &m_runner, this), 1);

  makeActions();
  makeMenus();
  makeToolBar();
  connectRun();
  connectPredictions();
  for (const QString& message : catalog.messages()) m_messages->add(Severity::kWarning, message);

  resize(startSize(screen()->availableSize()));
  resizeDocks({m_setupDock}, {m_setup->sizeHint().width()}, Qt::Horizontal);
  m_defaultLayout = saveState();
  if (m_options.restoreSession) readSettings();
  showState();
}

QSize MainWindow::startSize(QSize screen) {
  constexpr QSize kFrame(4, 36);  // of window managers, which is not known before
  return QSize(1280, 800).boundedTo(screen - kFrame);
}

MainWindow::~MainWindow() {
  m_runner.shutDown();
}

void MainWindow::makePages() {
  auto* page = new QWidget(this);
  auto* layout = new QVBoxLayout(page);
  layout->setContentsMargins(0, 0, 0, 0);
  layout->setSpacing(0);
  m_messages = new MessageBar(page);
  m_pages = new QTabWidget(page);
  m_pages->setObjectName(QStringLiteral("pages"));
  m_pages->setDocumentMode(true);
  m_live = new LivePage(m_store, m_pages);
  m_predict = new PredictPage(&m_document, &m_predictor, m_pages);
  m_pages->addTab(m_live, tr("&Live"));
  m_pages->addTab(m_predict, tr("Pre&dict"));
  layout->addWidget(m_messages);
  layout->addWidget(m_pages, 1);
  setCentralWidget(page);
  // What can be saved is the page's.
  connect(m_pages, &QTabWidget::currentChanged, this, &MainWindow::showState);
  connect(m_predict, &PredictPage::settled, this, &MainWindow::showState);
  connect(&m_store, &RunStore::changed, this,
          &MainWindow::showExports);  // there from the first step
}

// Tab comes here from every control. Messages, legends and lost devices bring controls of their own
// at any time, so the order is made anew each time that somebody follows it.
bool MainWindow::focusNextPrevChild(bool next) {
  QWidgetList parts{m_toolBar};
  const bool docked = !m_setupDock->isFloating();
  const bool onLeft = dockWidgetArea(m_setupDock) == Qt::LeftDockWidgetArea;
  if (docked && onLeft) parts.append(m_setupDock);
  parts.append(centralWidget());
  if (docked && !onLeft) parts.append(m_setupDock);
  setReadingOrder(parts);
  return QMainWindow::focusNextPrevChild(next);
}

void MainWindow::showPage(Page page) {
  m_pages->setCurrentIndex(static_cast<int>(page));
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
  const QString hindrance = obstacle == problems.end() ? QString() : placedText(*obstacle);
  m_live->setObstacle(hindrance);
  m_predict->setObstacle(active ? tr("A run is going on; its calibration will be used.")
                                : hindrance);
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
  showExports();

  const QString file = m_document.file();
  const QString name = QString::fromStdString(m_document.setup().experiment.name);
  setWindowFilePath(file);
  setWindowTitle(tr("%1[*] – Convoy")
                     .arg(file.isEmpty() ? tr("Untitled experiment") : QFileInfo(file).fileName()));
  setWindowModified(m_document.isModified());
  m_title->setText(name);
  m_title->setToolTip(name);
}

bool MainWindow::openFile(const QString& file) {
  m_messages->remove(std::exchange(m_openFailure, {}));  // past
  try {
    m_document.open(file);
  } catch (const Error& error) {
    m_openFailure = QString::fromUtf8(error.what());
    m_messages->add(Severity::kError, m_openFailure);
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
  m_document.begin(tr("Preset"),
                   parse_experiment(file.readAll().toStdString(), resource.toStdString()));
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
