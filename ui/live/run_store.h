// Everything that a run has told, kept for the charts and tiles.
//
// Used by the GUI thread only: the runner's tick drains the engine's events into it, then calls
// publish() once. Nobody else keeps numbers of a run, so tiles, charts, tables and exports agree.
// Times in milliseconds, bandwidth in 10^6 bits a second, accuracy as a fraction of 1. Values that
// were not measured are absent. Adding a step costs the same however long the run already is
// (a running median of everything costs the logarithm), and a step takes about 100 bytes plus 48 a
// device.
#pragma once

#include <QList>
#include <QObject>
#include <QString>
#include <deque>
#include <optional>
#include <vector>

#include "engine/results/run_events.h"
#include "engine/training/experiment.h"
#include "ui/live/running_median.h"

namespace convoy::ui {

class RunStore : public QObject {
  Q_OBJECT

 public:
  enum class State {
    Idle,
    Preparing,
    Calibrating,
    Baseline,
    Training,
    Testing,
    Done,
    Stopped,
    Failed
  };
  Q_ENUM(State)

  // Tiles and bars speak of the last so many steps, warm-up left out: short enough to answer a
  // moved bandwidth within a few steps, long enough that one odd step does not show.
  static constexpr int kRecentSteps = 11;
  static constexpr int kMaxMessages = 500;  // older ones are dropped

  // Per step, index 0 is the run's first step. All vectors have the same length.
  struct Steps {
    std::vector<double> number;  // the step, from 1
    std::vector<double> stepMs, convMs, commMs, compMs;
    std::vector<double> recentStepMs;      // median of the last kRecentSteps; NaN during warm-up
    std::vector<double> loss, recentLoss;  // recent: mean of the last kRecentSteps
    std::vector<double> accuracy, recentAccuracy;  // of the training batches
    std::vector<char> warmUp;
  };
  // What one device did in each step, summed over layers and passes.
  struct DeviceSteps {
    std::vector<double> computeMs, sendMs, receiveMs, waitMs;
    std::vector<quint64> bytesSent, bytesReceived;  // seen from the device
  };
  // The same in one number each: medians of the last kRecentSteps.
  struct DeviceTimes {
    double computeMs = 0.0, sendMs = 0.0, receiveMs = 0.0, waitMs = 0.0;
  };
  struct Progress {
    QString what;
    int done = 0;
    int total = 0;  // 0: unknown
  };
  struct Message {
    convoy::Severity severity;
    QString text;
  };

  explicit RunStore(QObject* parent = nullptr);

  // --- the engine's events, in the engine's order
  void start(const RunStarted& started);  // forgets the run before
  void phase(RunPhase phase, const QString& what, int done, int total);
  void calibrated(const RunCalibrated& calibrated);
  void baseline(const RunBaseline& baseline);
  // `told` is the real time of the call; the step's own times may be of the virtual clock.
  void step(const RunStep& step, TimePoint told = {});
  void quarantined(const RunQuarantine& lost);
  void readmitted(const RunReadmission& back);
  void sharesChanged(const RunShares& shares);
  void message(Severity severity, const QString& text);
  void finished(const RunSummary& summary);
  void reset();  // back to Idle
  // For a run that ends before it has begun (a bad experiment, data that cannot be read).
  void fail(const QString& message);

  // Emits changed() if anything has happened since the last time.
  void publish();

  // --- what is known
  State state() const { return m_state; }
  bool running() const { return m_state > State::Idle && m_state < State::Done; }
  const Progress& progress() const { return m_progress; }
  const RunStarted& started() const { return m_started; }
  // As it is really run; the defaults before the first run.
  const Experiment& experiment() const { return m_experiment; }
  bool isVirtual() const { return m_experiment.clock == ClockMode::kVirtual; }
  const std::optional<RunCalibrated>& calibration() const { return m_calibrated; }
  const std::optional<RunBaseline>& baseline() const { return m_baseline; }
  const std::optional<RunSummary>& summary() const { return m_summary; }
  const QString& failure() const { return m_failure; }
  const std::deque<Message>& messages() const { return m_messages; }

  int generation() const { return m_generation; }  // another for every run
  int stepCount() const { return int(m_steps.number.size()); }
  const Steps& steps() const { return m_steps; }
  int deviceCount() const { return int(m_started.devices.size()); }
  const DeviceSteps& deviceSteps(int device) const { return m_devices[size_t(device)]; }
  DeviceTimes recentDeviceTimes(int device) const;
  QString deviceName(int device) const;
  // Kernels of each layer, and the share of all convolution work (0..1), once calibrated: what the
  // next step will have.
  std::vector<int> deviceKernels(int device) const;
  std::optional<double> deviceShare(int device) const;
  // The share that a device had in a step.
  std::optional<double> deviceShareAt(int device, int index) const;
  // Shares after calibration and after every change, in order.
  const std::vector<RunShares>& shares() const { return m_shares; }
  // Why a device takes part no more; nothing while it does.
  const std::optional<RunQuarantine>& quarantine(int device) const {
    return m_quarantines[size_t(device)];
  }

  // --- derived, as INTERFACE defines them
  std::optional<double> recentStepMs() const;  // median of the last kRecentSteps
  std::optional<double> medianStepMs() const;  // of the whole run, warm-up left out
  std::optional<double> recentCommMs() const;
  std::optional<double> recentSpeedup() const;             // baseline / recentStepMs()
  std::optional<double> speedup() const;                   // baseline / medianStepMs()
  std::optional<double> speedupAt(int index) const;        // of one step
  std::optional<double> recentSpeedupAt(int index) const;  // the median that ends there
  // Whether the run has kept the link, the devices and the given shares that it began with. Shares
  // by calibration may follow the measured times: they are what the prediction is of.
  bool asBegun() const { return !m_linkMoved && !m_deviceLost && !m_sharesMoved; }
  // Of what the run began with: nothing once that has changed.
  std::optional<double> predictedStepMs() const;
  std::optional<double> predictedSpeedup() const;
  // How far the prediction is off what was measured: 0.02 is 2 % too long.
  std::optional<double> predictionError() const;
  std::optional<double> amdahlLimit() const;
  // The devices' calibrated speeds added up, the baseline's device being 1.
  std::optional<double> pooledSpeed() const;
  std::optional<double> efficiency() const;  // recentSpeedup() / pooledSpeed()
  std::optional<double> imagesPerSecond() const;
  std::optional<double> secondsLeft() const;  // of training, in real time

 signals:
  void changed();
  void messageAdded(convoy::Severity severity, const QString& text);

 private:
  // Indices of the last steps that are not warm-up, newest first.
  std::vector<size_t> recentIndices() const;
  double recentMedian(const std::vector<double>& values) const;

  State m_state = State::Idle;
  Progress m_progress;
  RunStarted m_started;
  Experiment m_experiment;
  std::optional<RunCalibrated> m_calibrated;
  std::optional<RunBaseline> m_baseline;
  std::optional<RunSummary> m_summary;
  QString m_failure;
  std::deque<Message> m_messages;
  Steps m_steps;
  std::vector<DeviceSteps> m_devices;
  std::vector<double> m_realMs;  // of each step, between two calls; NaN for the first
  TimePoint m_told;
  RunningMedian m_medianStepMs;
  std::vector<RunShares> m_shares;
  std::vector<std::optional<RunQuarantine>> m_quarantines;  // [device]
  bool m_linkMoved = false;
  bool m_sharesMoved = false;
  bool m_deviceLost = false;  // once is enough for the prediction
  int m_generation = 0;
  bool m_dirty = false;
};

}  // namespace convoy::ui
