// The window's actions, menus and tool bar, and what it keeps in the settings.
#include <QAction>
#include <QActionGroup>
#include <QApplication>
#include <QDir>
#include <QDockWidget>
#include <QFile>
#include <QMenuBar>
#include <QMessageBox>
#include <QSettings>
#include <QToolBar>
#include <QToolButton>
#include <algorithm>

#include "engine/training/experiment.h"
#include "ui/elided_label.h"
#include "ui/icon.h"
#include "ui/live/live_page.h"
#include "ui/main_window.h"
#include "ui/message_bar.h"
#include "ui/presets_menu.h"
#include "ui/recent_files.h"
#include "ui/setup/setup_view.h"

namespace convoy::ui {
namespace {

// Takes the room that the buttons leave.
class TitleLabel : public ElidedLabel {
 public:
  using ElidedLabel::ElidedLabel;
  QSize sizeHint() const override { return {minimumWidth(), ElidedLabel::sizeHint().height()}; }
  QSize minimumSizeHint() const override { return sizeHint(); }
};

}  // namespace

QAction* MainWindow::action(const QString& name, const QString& text, const QString& icon,
                            const QList<QKeySequence>& shortcuts) {
  auto* result = new QAction(text, this);
  result->setObjectName(name);
  if (!icon.isEmpty()) result->setIcon(themedIcon(icon));
  result->setShortcuts(shortcuts);
  return result;
}

void MainWindow::makeActions() {
  m_run = action("run", tr("&Run"), {}, {QKeySequence(tr("Ctrl+R")), QKeySequence(tr("F5"))});
  m_pause = action("pause", tr("&Pause"), "pause", {QKeySequence(tr("F6"))});
  m_stop =
      action("stop", tr("&Stop"), {}, {QKeySequence(tr("Ctrl+.")), QKeySequence(tr("Shift+F5"))});
  m_stop->setIcon(themedIcon(QStringLiteral("stop"), Ink::Error));
  m_stop->setToolTip(tr("Stop at once and keep what was measured (Ctrl+.)"));
  m_run->setIcon(themedIcon(QStringLiteral("run"), Ink::Card));
  m_new = action("new", tr("&New"), {}, QKeySequence::keyBindings(QKeySequence::New));
  m_open = action("open", tr("&Open…"), {}, QKeySequence::keyBindings(QKeySequence::Open));
  m_save = action("save", tr("&Save"), {}, QKeySequence::keyBindings(QKeySequence::Save));
  m_saveAs = action("saveAs", tr("Save &As…"), {}, {QKeySequence(tr("Ctrl+Shift+S"))});
  m_exportRun = action("exportRun", tr("Run's &CSV Files…"), {}, {QKeySequence(tr("Ctrl+E"))});
  m_exportRun->setToolTip(
      tr("Copy what the last run wrote: steps.csv, devices.csv and summary.csv, with its "
         "experiment, trace, calibration and weights"));
  m_undo = action("undo", tr("&Undo"), {}, QKeySequence::keyBindings(QKeySequence::Undo));
  m_redo = action("redo", tr("&Redo"), {}, QKeySequence::keyBindings(QKeySequence::Redo));

  connect(m_run, &QAction::triggered, this, &MainWindow::startRun);
  connect(m_pause, &QAction::triggered, this,
          [this] { m_runner.setPaused(m_runner.state() == EngineRunner::State::Running); });
  connect(m_stop, &QAction::triggered, this, &MainWindow::stopRun);
  connect(m_new, &QAction::triggered, &m_document, &ExperimentDocument::reset);
  connect(m_open, &QAction::triggered, this, &MainWindow::chooseFileToOpen);
  connect(m_save, &QAction::triggered, this, &MainWindow::save);
  connect(m_saveAs, &QAction::triggered, this, &MainWindow::chooseFileToSave);
  connect(m_exportRun, &QAction::triggered, this, [this] {
    chooseFolder(tr("Folder for the Run's Files"),
                 [this](const QString& folder) { exportRun(folder); });
  });
  connect(m_undo, &QAction::triggered, m_document.undoStack(), &QUndoStack::undo);
  connect(m_redo, &QAction::triggered, m_document.undoStack(), &QUndoStack::redo);
  connect(m_document.undoStack(), &QUndoStack::undoTextChanged, this, [this](const QString& text) {
    m_undo->setText(text.isEmpty() ? tr("&Undo") : tr("&Undo “%1”").arg(text));
  });
  connect(m_document.undoStack(), &QUndoStack::redoTextChanged, this, [this](const QString& text) {
    m_redo->setText(text.isEmpty() ? tr("&Redo") : tr("&Redo “%1”").arg(text));
  });
  connect(m_document.undoStack(), &QUndoStack::indexChanged, this, &MainWindow::showState);
}

void MainWindow::makeMenus() {
  QMenu* file = menuBar()->addMenu(tr("&File"));
  file->addAction(m_new);
  file->addAction(m_open);
  m_recent = new RecentFiles(file);
  connect(m_recent, &RecentFiles::chosen, this, &MainWindow::openFile);
  file->addMenu(m_recent);
  m_presets = new PresetsMenu(file);
  connect(m_presets, &PresetsMenu::chosen, this, &MainWindow::openPreset);
  file->addMenu(m_presets);
  file->addSeparator();
  file->addAction(m_save);
  file->addAction(m_saveAs);
  QMenu* exports = file->addMenu(tr("&Export"));
  m_exports = exports->menuAction();
  fillExportMenu(exports);
  file->addSeparator();
  auto* quit = action("quit", tr("&Quit"), {}, {QKeySequence(tr("Ctrl+Q"))});
  connect(quit, &QAction::triggered, this, &QWidget::close);
  file->addAction(quit);

  QMenu* edit = menuBar()->addMenu(tr("&Edit"));
  edit->addAction(m_undo);
  edit->addAction(m_redo);

  QMenu* run = menuBar()->addMenu(tr("&Run"));
  m_run->setIconVisibleInMenu(false);  // it is drawn for the filled button
  run->addAction(m_run);
  run->addAction(m_pause);
  run->addAction(m_stop);

  QMenu* view = menuBar()->addMenu(tr("&View"));
  view->addAction(m_setupDock->toggleViewAction());
  view->addAction(tr("Restore &Default Layout"), this, &MainWindow::restoreLayout);
  view->addSeparator();
  QMenu* look = view->addMenu(tr("&Colours"));
  m_schemes = new QActionGroup(this);
  const auto scheme = [&](const QString& text, Scheme value) {
    QAction* choice = look->addAction(text);
    choice->setCheckable(true);
    choice->setData(static_cast<int>(value));
    choice->setChecked(Theme::instance().scheme() == value);
    m_schemes->addAction(choice);
  };
  scheme(tr("As the &System"), Scheme::System);
  scheme(tr("&Light"), Scheme::Light);
  scheme(tr("&Dark"), Scheme::Dark);
  connect(m_schemes, &QActionGroup::triggered, this, [](QAction* choice) {
    Theme::instance().apply(static_cast<Scheme>(choice->data().toInt()));
  });
  connect(&Theme::instance(), &Theme::changed, this, [this] {
    for (QAction* choice : m_schemes->actions())
      choice->setChecked(choice->data().toInt() == static_cast<int>(Theme::instance().scheme()));
  });

  QMenu* help = menuBar()->addMenu(tr("&Help"));
  help->addAction(tr("&About Convoy"), this, &MainWindow::about);
}

void MainWindow::makeToolBar() {
  auto* bar = m_toolBar = addToolBar(tr("Run"));
  bar->setObjectName(QStringLiteral("runToolBar"));
  bar->setMovable(false);
  bar->setToolButtonStyle(Qt::ToolButtonTextBesideIcon);
  bar->setIconSize(QSize(18, 18));
  for (QAction* item : {m_run, m_pause, m_stop}) {
    bar->addAction(item);
    auto* button = qobject_cast<QToolButton*>(bar->widgetForAction(item));
    button->setObjectName(item->objectName() + QStringLiteral("Button"));
    button->setAccessibleName(item->text().remove('&'));
    button->setMinimumSize(92, 32);
  }
  auto* exports = new QToolButton(bar);
  exports->setObjectName(QStringLiteral("exportButton"));
  exports->setText(tr("E&xport"));
  exports->setIcon(themedIcon(QStringLiteral("download")));
  exports->setToolButtonStyle(Qt::ToolButtonTextBesideIcon);
  exports->setToolTip(tr("Save the run's CSV files or the charts"));
  exports->setAccessibleName(tr("Export"));
  exports->setMinimumSize(92, 32);
  exports->setMenu(m_exports->menu());
  exports->setPopupMode(QToolButton::InstantPopup);
  const auto follow = [this, exports] { exports->setEnabled(m_exports->isEnabled()); };
  connect(m_exports, &QAction::changed, exports, follow);
  bar->addSeparator();
  bar->addWidget(exports);
  // The one button that the eye should find first is filled.
  const auto style = [bar] {
    const Theme& theme = Theme::instance();
    bar->setStyleSheet(
        QStringLiteral(
            "QToolBar { background: %6; border: none; border-bottom: 1px solid %5;"
            " padding: 6px 12px; spacing: 8px; }"
            "QToolButton { border: 1px solid %5; border-radius: 6px; padding: 4px 12px; }"
            "QToolButton:hover, QToolButton:focus { border-color: %4; }"
            "QToolButton:pressed { background: %5; }"
            "QToolButton:disabled { color: %4; }"
            "QToolButton#exportButton { padding-right: 24px; }"
            "QToolButton::menu-indicator { subcontrol-origin: padding;"
            " subcontrol-position: center right; right: 8px; }"
            "QToolButton#runButton:enabled { background: %1; color: %2;"
            " border-color: %1; }"
            "QToolButton#runButton:hover:enabled { border-color: %3; }")
            .arg(theme.color(Ink::Accent).name(), theme.color(Ink::Card).name(),
                 theme.color(Ink::Text).name(), theme.color(Ink::MutedText).name(),
                 theme.color(Ink::Border).name(), theme.color(Ink::Window).name()));
  };
  style();
  connect(&Theme::instance(), &Theme::changed, bar, style);
  // Pausing must not move the button that stops: as wide as the longer of both words.
  QWidget* pause = bar->widgetForAction(m_pause);
  pause->ensurePolished();
  for (const QString& word : {tr("Resu&me"), tr("&Pause")}) {
    m_pause->setText(word);
    pause->setMinimumWidth(std::max(pause->minimumWidth(), pause->sizeHint().width()));
  }
  m_title = new TitleLabel(bar);
  m_title->setFont(Theme::instance().font(TextStyle::Title));
  m_title->setAlignment(Qt::AlignRight | Qt::AlignVCenter);
  m_title->setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Preferred);
  m_title->setMinimumWidth(40);
  m_title->setContentsMargins(Space::kLarge, 0, Space::kLarge, 0);
  m_title->setAccessibleName(tr("Name of the experiment"));
  bar->addWidget(m_title);
}

void MainWindow::about() {
  auto* box = new QMessageBox(this);
  box->setAttribute(Qt::WA_DeleteOnClose);
  box->setWindowTitle(tr("About Convoy"));
  box->setIconPixmap(windowIcon().pixmap(64, 64));
  box->setText(tr("<h3>Convoy %1</h3>").arg(QCoreApplication::applicationVersion()));
  box->setInformativeText(
      tr("Trains convolutional networks over unequal CPUs and GPUs by distributing only the "
         "convolutional layers, and shows where the time goes.\n\nQt %1")
          .arg(QLatin1String(qVersion())));
  box->open();
}

void MainWindow::restoreLayout() {
  m_setupDock->setFloating(false);
  restoreState(m_defaultLayout);
  m_setupDock->show();
  resizeDocks({m_setupDock}, {m_setup->sizeHint().width()}, Qt::Horizontal);
  m_setup->resetFolding();
}

void MainWindow::readSettings() {
  const QSettings settings;
  restoreGeometry(settings.value(QStringLiteral("geometry")).toByteArray());
  restoreState(settings.value(QStringLiteral("layout")).toByteArray());
  if (settings.contains(QStringLiteral("folded")))
    m_setup->restoreFolding(settings.value(QStringLiteral("folded")).toByteArray());
  const QString json = settings.value(QStringLiteral("experiment")).toString();
  if (json.isEmpty()) return;
  const QString file = settings.value(QStringLiteral("experimentFile")).toString();
  const bool modified = settings.value(QStringLiteral("experimentModified")).toBool();
  try {
    m_document.restore(parse_experiment(json.toStdString(), "last session"), file, modified);
  } catch (const Error& error) {
    m_messages->add(
        Severity::kWarning,
        tr("The last session's experiment could not be read again; this is a new one. %1")
            .arg(QString::fromUtf8(error.what())));
  }
}

void MainWindow::writeSettings() {
  QSettings settings;
  settings.setValue(QStringLiteral("geometry"), saveGeometry());
  settings.setValue(QStringLiteral("layout"), saveState());
  settings.setValue(QStringLiteral("folded"), m_setup->saveFolding());
  settings.setValue(QStringLiteral("scheme"), static_cast<int>(Theme::instance().scheme()));
  settings.setValue(QStringLiteral("experimentFile"), m_document.file());
  settings.setValue(QStringLiteral("experimentModified"), m_document.isModified());
  settings.setValue(QStringLiteral("experiment"),
                    QString::fromStdString(experiment_json(m_document.experiment())));
}

}  // namespace convoy::ui
