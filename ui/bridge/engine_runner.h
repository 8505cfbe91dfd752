// Runs experiments on a thread of its own and brings what they tell to the GUI's thread.
//
// All functions are called on the GUI's thread and return at once, except the destructor and
// wait(), which join. Stop, pause and link changes act directly through the run's RunControl, never
// through the engine thread's event loop. Events are queued by the engine and drained on one tick,
// so that a fast run cannot flood the window.
#pragma once

#include <QObject>
#include <QString>
#include <QTimer>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <thread>
#include <vector>

#include "engine/base/error.h"
#include "engine/training/run.h"

namespace convoy::ui {

class RunStore;

// Why a run ended without having done its work.
struct RunFailure {
  ErrorKind kind = ErrorKind::kRun;
  QString where;  // file and JSON path, or device; may be empty
  QString text;   // the whole message
};

class EngineRunner : public QObject {
  Q_OBJECT

 public:
  enum class State { Idle, Running, Paused, Stopping };
  // What runs an experiment: run_experiment(), unless a test brings its own.
  using Engine = std::function<RunSummary(const Experiment&, RunControl&,
                                          const std::vector<RunListener*>&, const RunOptions&)>;

  // `store` is filled with the events of the run and must outlive the runner.
  explicit EngineRunner(RunStore* store, QObject* parent = nullptr, Engine engine = run_experiment);
  ~EngineRunner() override;

  State state() const { return m_state; }
  bool isActive() const { return m_state != State::Idle; }
  // Number of the run that was started last, from 1. Whatever an earlier run still says is dropped.
  quint64 job() const { return m_jobNumber; }
  // Where the last run's files are: a folder named by the run's id.
  const std::filesystem::path& folder() const { return m_folder; }
  // Of the last run that ended; nothing when that failed before it began.
  const std::optional<RunSummary>& summary() const { return m_summary; }
  const std::optional<RunFailure>& failure() const { return m_failure; }

  // A run that is still going on is stopped and joined first. The files go to a folder in `runs`.
  void start(const Experiment& experiment, const std::filesystem::path& runs);
  void setPaused(bool paused);
  void stop();
  void setLink(const LinkSettings& settings);
  // Asks for a device that was lost, by its name in the run; readmitted() or a message answers.
  void readmit(const std::string& device);
  // Stops and joins without telling anyone: for a window that closes.
  void shutDown();

 signals:
  void stateChanged();
  void started(const convoy::RunStarted& event);
  void phaseChanged(convoy::RunPhase phase, const QString& what, int done, int total);
  void calibrated(const convoy::RunCalibrated& event);
  void quarantined(const convoy::RunQuarantine& event);
  void readmitted(const convoy::RunReadmission& event);
  void sharesChanged(const convoy::RunShares& event);
  void messageArrived(convoy::Severity severity, const QString& text);
  // The thread has ended; summary() and failure() say how.
  void finished();

 private:
  struct Job;

  void tick();
  void dropEmptyFolder();
  void setState(State state);

  RunStore* m_store;
  Engine m_engine;
  QTimer m_timer;
  double m_busyMs = 0.0;  // of the GUI's thread at the last tick
  std::unique_ptr<Job> m_job;
  std::thread m_thread;
  State m_state = State::Idle;
  quint64 m_jobNumber = 0;
  std::filesystem::path m_folder;
  std::optional<RunSummary> m_summary;
  std::optional<RunFailure> m_failure;
};

}  // namespace convoy::ui
