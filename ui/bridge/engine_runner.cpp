#include "ui/bridge/engine_runner.h"

#include <atomic>
#include <cmath>
#include <ctime>
#include <mutex>
#include <string>
#include <system_error>
#include <utility>

#include "ui/bridge/tick_budget.h"
#include "ui/live/run_store.h"

namespace convoy::ui {
namespace {

// What the calling thread has computed, in milliseconds.
double threadMs() {
  timespec time{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) * 1e3 + static_cast<double>(time.tv_nsec) / 1e6;
}

// Collects the engine's events, each as the call that the GUI's thread will make of it.
class EventQueue : public RunListener {
 public:
  using Event = std::function<void(EngineRunner&, RunStore&)>;

  void push(Event event) {
    const std::lock_guard lock(m_mutex);
    m_events.push_back(std::move(event));
  }
  std::vector<Event> take() {
    const std::lock_guard lock(m_mutex);
    return std::exchange(m_events, {});
  }

  void on_started(const RunStarted& event) override {
    {
      const std::lock_guard lock(m_mutex);
      m_run = event.run;
    }
    push([event](EngineRunner& runner, RunStore& store) {
      store.start(event);
      emit runner.started(event);
    });
  }
  void on_phase(RunPhase phase, const std::string& what, int done, int total) override {
    push([phase, text = QString::fromStdString(what), done, total](EngineRunner& runner,
                                                                   RunStore& store) {
      store.phase(phase, text, done, total);
      emit runner.phaseChanged(phase, text, done, total);
    });
  }
  void on_calibrated(const RunCalibrated& event) override {
    push([event](EngineRunner& runner, RunStore& store) {
      store.calibrated(event);
      emit runner.calibrated(event);
    });
  }
  void on_baseline(const RunBaseline& event) override {
    push([event](EngineRunner&, RunStore& store) { store.baseline(event); });
  }
  void on_step(const RunStep& event) override {
    push([event, told = SteadyClock::now()](EngineRunner&, RunStore& store) {
      store.step(event, told);
    });
  }
  void on_quarantine(const RunQuarantine& event) override {
    push([event](EngineRunner& runner, RunStore& store) {
      store.quarantined(event);
      emit runner.quarantined(event);
    });
  }
  void on_readmission(const RunReadmission& event) override {
    push([event](EngineRunner& runner, RunStore& store) {
      store.readmitted(event);
      emit runner.readmitted(event);
    });
  }
  void on_shares(const RunShares& event) override {
    push([event](EngineRunner& runner, RunStore& store) {
      store.sharesChanged(event);
      emit runner.sharesChanged(event);
    });
  }
  void on_message(Severity severity, const std::string& text) override {
    push([severity, text = QString::fromStdString(text)](EngineRunner& runner, RunStore& store) {
      store.message(severity, text);
      emit runner.messageArrived(severity, text);
    });
  }
  void on_finished(const RunSummary& summary) override {
    m_finished.store(true);
    push([summary](EngineRunner&, RunStore& store) { store.finished(summary); });
  }

  // The run's id; empty until it has started.
  std::string run() const {
    const std::lock_guard lock(m_mutex);
    return m_run;
  }
  bool heardFinish() const { return m_finished.load(); }

 private:
  mutable std::mutex m_mutex;
  std::vector<Event> m_events;
  std::string m_run;
  std::atomic<bool> m_finished{false};
};

}  // namespace

// One run. Its thread touches nothing else of ours; dropping the job drops whatever it still said.
struct EngineRunner::Job {
  RunControl control;
  EventQueue events;
  std::atomic<bool> ended{false};
  // Written by the thread before `ended`, read after it.
  std::optional<RunSummary> summary;
  std::optional<RunFailure> failure;

  void run(const Engine& engine, const Experiment& experiment, const RunOptions& options) noexcept {
    try {
      summary = engine(experiment, control, {&events}, options);
    } catch (const Interrupted&) {
      // Stopped before there was anything to sum up.
    } catch (const Error& error) {
      failure = RunFailure{error.kind(), QString::fromStdString(error.where()),
                           QString::fromStdString(error.what())};
    } catch (const std::bad_alloc&) {
      failure = RunFailure{ErrorKind::kRun,
                           {},
                           tr("There is not enough memory for this run. A smaller batch or fewer "
                              "kernels need less.")};
    } catch (const std::exception& error) {
      failure = RunFailure{ErrorKind::kRun, {}, QString::fromUtf8(error.what())};
    }
    ended.store(true);
  }
};

EngineRunner::EngineRunner(RunStore* store, QObject* parent, Engine engine)
    : QObject(parent), m_store(store), m_engine(std::move(engine)) {
  m_timer.setInterval(TickBudget::kQuickestMs);
  connect(&m_timer, &QTimer::timeout, this, &EngineRunner::tick);
}

EngineRunner::~EngineRunner() {
  shutDown();
}

void EngineRunner::start(const Experiment& experiment, const std::filesystem::path& runs) {
  shutDown();
  const std::string id = new_run_id();
  m_folder = runs / id;
  m_summary.reset();
  m_failure.reset();
  ++m_jobNumber;
  m_job = std::make_unique<Job>();
  m_store->reset();
  m_thread =
      std::thread([job = m_job.get(), engine = m_engine, experiment,
                   options = RunOptions(m_folder, id)] { job->run(engine, experiment, options); });
  m_busyMs = threadMs();
  m_timer.start(TickBudget::kQuickestMs);
  setState(State::Running);
}

void EngineRunner::setPaused(bool paused) {
  if (m_state != State::Running && m_state != State::Paused) return;
  m_job->control.set_paused(paused);
  setState(paused ? State::Paused : State::Running);
}

void EngineRunner::stop() {
  if (!isActive()) return;
  m_job->control.request_stop();
  setState(State::Stopping);
}

void EngineRunner::setLink(const LinkSettings& settings) {
  if (isActive()) m_job->control.set_link(settings);
}

void EngineRunner::readmit(const std::string& device) {
  if (isActive()) m_job->control.readmit(device);
}

void EngineRunner::shutDown() {
  m_timer.stop();
  if (m_job) m_job->control.request_stop();
  if (m_thread.joinable()) m_thread.join();
  if (m_job) dropEmptyFolder();
  m_job.reset();
  m_state = State::Idle;
}

void EngineRunner::tick() {
  const double busyMs = threadMs();
  const int interval = TickBudget::intervalMs(busyMs - m_busyMs);
  m_busyMs = busyMs;
  // Restarts the timer: only when it matters.
  if (std::abs(interval - m_timer.interval()) > m_timer.interval() / 5)
    m_timer.setInterval(interval);

  // Asked before the queue is taken: what was said before the end is then certainly in it.
  const bool ended = m_job->ended.load();
  const quint64 job = m_jobNumber;
  for (const auto& event : m_job->events.take()) {
    event(*this, *m_store);
    // A slot may have ended this run or started another one.
    if (!m_job || job != m_jobNumber) return;
  }
  if (ended) {
    m_thread.join();
    m_timer.stop();
    m_summary = m_job->summary;
    m_failure = m_job->failure;
    if (m_failure && !m_job->events.heardFinish()) m_store->fail(m_failure->text);
    if (!m_failure && m_job->events.run().empty()) m_store->reset();
    dropEmptyFolder();
    m_job.reset();
  }
  m_store->publish();
  if (ended) {
    setState(State::Idle);
    emit finished();
  }
}

// A run that failed before it started has no files.
void EngineRunner::dropEmptyFolder() {
  std::error_code error;
  if (m_job->events.run().empty()) std::filesystem::remove(m_folder, error);
}

void EngineRunner::setState(State state) {
  if (m_state == state) return;
  m_state = state;
  emit stateChanged();
}

}  // namespace convoy::ui
