// The workbench's window: the set-up at the left, the live page, and everything that joins them.
//
// Closing it in the middle of a run stops the run and waits for its thread, which takes less than a
// second, with the window already hidden.
#pragma once

#include <QMainWindow>

#include "ui/bridge/engine_runner.h"
#include "ui/bridge/predictor.h"
#include "ui/live/run_store.h"
#include "ui/models/experiment_document.h"
#include "ui/theme/theme.h"

class QActionGroup;
class QLabel;
class QTabWidget;
class QToolBar;

namespace convoy::ui {

enum class ExportFormat;
class Chart;
class LivePage;
class MessageBar;
class PredictPage;
class PresetsMenu;
class RecentFiles;
class SetupView;

class MainWindow : public QMainWindow {
  Q_OBJECT

 public:
  struct Options {
    bool restoreSession = true;  // read and write the settings: geometry, last experiment, theme
    EngineRunner::Engine engine = run_experiment;
    Predictor::Calibrate calibrate = calibrate_only;
  };

  explicit MainWindow(const DeviceCatalog& catalog) : MainWindow(catalog, Options()) {}
  MainWindow(const DeviceCatalog& catalog, const Options& options);
  ~MainWindow() override;

  ExperimentDocument* document() { return &m_document; }
  EngineRunner* runner() { return &m_runner; }
  const RunStore* store() const { return &m_store; }
  MessageBar* messageBar() { return m_messages; }
  PredictPage* predictPage() { return m_predict; }
  enum class Page { Live, Predict };
  void showPage(Page page);

  // What a window begins with, where the screen has that much besides its panels.
  static QSize startSize(QSize screen);
  // Says in the bar what is wrong with a file; true when it was opened.
  bool openFile(const QString& file);
  // False when the set-up has a fault, which is then shown.
  bool startRun();
  // The folder that the last run writes or wrote its files to; empty before the first.
  QString runFolder() const;
  // Copy the last run's files, or save the charts of the page. What came of it is said in the bar;
  // so is what is there already, with a button that replaces it.
  void exportRun(const QString& folder);
  void exportCharts(const QString& folder, ExportFormat format);

 signals:
  void runFinished();

 protected:
  void closeEvent(QCloseEvent* event) override;
  void dragEnterEvent(QDragEnterEvent* event) override;
  void dropEvent(QDropEvent* event) override;
  bool focusNextPrevChild(bool next) override;

 private:
  QAction* action(const QString& name, const QString& text, const QString& icon,
                  const QList<QKeySequence>& shortcuts);
  void makeActions();
  void makeMenus();
  void makeToolBar();
  void makePages();
  void connectRun();
  void connectPredictions();

  void chooseFileToOpen();
  void openPreset(const QString& resource);
  void save();
  void chooseFileToSave();
  bool saveTo(const QString& file);

  void fillExportMenu(QMenu* menu);
  void showExports();
  QList<Chart*> chartsOfPage() const;
  void chooseFolder(const QString& title, const std::function<void(const QString&)>& use);
  void exportInto(const QString& folder, const QStringList& files,
                  const std::function<void()>& write);
  void tellSaved(const QString& folder, const QStringList& files);
  void about();

  void stopRun();
  void runEnded();
  void keepMeasured();
  void loadCalibration(const QString& folder);
  void tell(Severity severity, const QString& text);
  void showLost(const QString& text);
  void letIn(const QString& device);
  void settleLost(const QString& device);
  void showState();
  void restoreLayout();
  void readSettings();
  void writeSettings();

  Options m_options;
  RunStore m_store;
  ExperimentDocument m_document;
  Predictor m_predictor;
  EngineRunner m_runner;  // after what it writes to: it goes first
  RunStarted m_started;

  SetupView* m_setup;
  QDockWidget* m_setupDock;
  QTabWidget* m_pages;
  QToolBar* m_toolBar;
  LivePage* m_live;
  PredictPage* m_predict;
  MessageBar* m_messages;
  RecentFiles* m_recent;
  PresetsMenu* m_presets;
  QLabel* m_title;
  QByteArray m_defaultLayout;
  // Devices that the run has lost, by name: those that the engine's next warning tells of, the
  // message that told of each, and the one that answered whoever wanted it back.
  QStringList m_untold;
  QMap<QString, QString> m_lostTexts;
  QMap<QString, QString> m_askedTexts;
  QString m_rebalanceText;  // of shares that have followed the measured times
  QString m_openFailure;    // shown until the next file is opened

  QAction* m_run;
  QAction* m_pause;
  QAction* m_stop;
  QAction* m_new;
  QAction* m_open;
  QAction* m_save;
  QAction* m_saveAs;
  QAction* m_exports;  // the menu of the two below
  QAction* m_exportRun;
  QAction* m_exportCharts;
  QAction* m_undo;
  QAction* m_redo;
  QActionGroup* m_schemes;
};

}  // namespace convoy::ui
