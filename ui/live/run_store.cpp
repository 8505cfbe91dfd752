#include "ui/live/run_store.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace convoy::ui {
namespace {

constexpr double kAbsent = std::numeric_limits<double>::quiet_NaN();

double median(std::vector<double> values) {
  const auto middle = values.begin() + std::ptrdiff_t(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  if (values.size() % 2 == 1) return *middle;
  return (*middle + *std::max_element(values.begin(), middle)) / 2.0;
}

double lastMean(const std::vector<double>& values) {
  const auto count =
      std::min<std::ptrdiff_t>(RunStore::kRecentSteps, std::ptrdiff_t(values.size()));
  double sum = 0.0;
  for (auto it = values.end() - count; it != values.end(); ++it) sum += *it;
  return sum / double(count);
}

std::optional<double> present(double value) {
  return std::isnan(value) ? std::nullopt : std::optional(value);
}

std::optional<double> quotient(std::optional<double> dividend, std::optional<double> divisor) {
  if (!dividend || !divisor || !(*divisor > 0.0)) return std::nullopt;
  return *dividend / *divisor;
}

}  // namespace

RunStore::RunStore(QObject* parent) : QObject(parent) {}

void RunStore::reset() {
  ++m_generation;
  m_state = State::Idle;
  m_progress = {};
  m_started = {};
  m_experiment = {};
  m_calibrated.reset();
  m_baseline.reset();
  m_summary.reset();
  m_failure.clear();
  m_messages.clear();
  m_steps = {};
  m_devices.clear();
  m_realMs.clear();
  m_medianStepMs.clear();
  m_shares.clear();
  m_quarantines.clear();
  m_linkMoved = m_deviceLost = m_sharesMoved = false;
  m_dirty = true;
}

void RunStore::start(const RunStarted& started) {
  reset();
  m_started = started;
  if (!started.experiment_json.empty())
    m_experiment = parse_experiment(started.experiment_json, started.run);
  m_devices.resize(started.devices.size());
  m_quarantines.resize(started.devices.size());
  m_state = State::Preparing;
}

void RunStore::phase(RunPhase phase, const QString& what, int done, int total) {
  switch (phase) {
    case RunPhase::kPreparing:
      m_state = State::Preparing;
      break;
    case RunPhase::kCalibrating:
      m_state = State::Calibrating;
      break;
    case RunPhase::kBaseline:
      m_state = State::Baseline;
      break;
    case RunPhase::kTraining:
      m_state = State::Training;
      break;
    case RunPhase::kTesting:
      m_state = State::Testing;
      break;
  }
  m_progress = {what, done, total};
  m_dirty = true;
}

void RunStore::calibrated(const RunCalibrated& calibrated) {
  m_calibrated = calibrated;
  m_shares = {
      {1, ShareChange::kRebalance, {}, calibrated.kernels, calibrated.pictures, calibrated.share}};
  m_dirty = true;
}

void RunStore::quarantined(const RunQuarantine& lost) {
  m_quarantines[size_t(lost.device)] = lost;
  m_deviceLost = true;
  m_dirty = true;
}

void RunStore::readmitted(const RunReadmission& back) {
  m_quarantines[size_t(back.device)].reset();
  m_dirty = true;
}

void RunStore::sharesChanged(const RunShares& shares) {
  m_shares.push_back(shares);
  if (m_experiment.distribution.shares != ShareMode::kCalibrated) m_sharesMoved = true;
  m_dirty = true;
}

void RunStore::baseline(const RunBaseline& baseline) {
  m_baseline = baseline;
  m_dirty = true;
}

void RunStore::step(const RunStep& step, TimePoint told) {
  m_realMs.push_back(m_realMs.empty() ? kAbsent : milliseconds(told - m_told));
  m_told = told;
  m_state = State::Training;
  m_dirty = true;
  if (step.bandwidth_mbps != m_started.bandwidth_mbps) m_linkMoved = true;

  Steps& s = m_steps;
  s.number.push_back(step.step);
  s.stepMs.push_back(step.step_ms);
  s.convMs.push_back(step.conv_ms);
  s.commMs.push_back(step.comm_ms);
  s.compMs.push_back(step.comp_ms);
  s.loss.push_back(step.loss);
  s.recentLoss.push_back(lastMean(s.loss));
  s.accuracy.push_back(step.train_accuracy);
  s.recentAccuracy.push_back(lastMean(s.accuracy));
  s.warmUp.push_back(step.warm_up);
  if (!step.warm_up) m_medianStepMs.add(step.step_ms);
  s.recentStepMs.push_back(step.warm_up ? kAbsent : recentMedian(s.stepMs));

  for (DeviceSteps& device : m_devices) {
    for (auto* times : {&device.computeMs, &device.sendMs, &device.receiveMs, &device.waitMs})
      times->push_back(0.0);
    device.bytesSent.push_back(0);
    device.bytesReceived.push_back(0);
  }
  for (const Slice& slice : step.slices) {
    Q_ASSERT(slice.device >= 0 && slice.device < deviceCount());
    DeviceSteps& device = m_devices[size_t(slice.device)];
    const double ms = milliseconds(slice.end - slice.begin);
    switch (slice.activity) {
      case Activity::kCompute:
        device.computeMs.back() += ms;
        break;
      case Activity::kSend:
        device.sendMs.back() += ms;
        device.bytesSent.back() += slice.bytes;
        break;
      case Activity::kReceive:
        device.receiveMs.back() += ms;
        device.bytesReceived.back() += slice.bytes;
        break;
      case Activity::kWait:
        device.waitMs.back() += ms;
        break;
    }
  }
}

void RunStore::message(Severity severity, const QString& text) {
  m_messages.push_back({severity, text});
  if (m_messages.size() > size_t(kMaxMessages)) m_messages.pop_front();
  m_dirty = true;
  emit messageAdded(severity, text);
}

void RunStore::finished(const RunSummary& summary) {
  m_summary = summary;
  m_progress = {};
  switch (summary.outcome) {
    case RunOutcome::kDone:
      m_state = State::Done;
      break;
    case RunOutcome::kStopped:
      m_state = State::Stopped;
      break;
    case RunOutcome::kFailed:
      m_state = State::Failed;
      m_failure = QString::fromStdString(summary.failure);
      break;
  }
  m_dirty = true;
}

void RunStore::fail(const QString& message) {
  m_state = State::Failed;
  m_failure = message;
  m_progress = {};
  m_dirty = true;
}

void RunStore::publish() {
  if (!m_dirty) return;
  m_dirty = false;
  emit changed();
}

std::vector<size_t> RunStore::recentIndices() const {
  std::vector<size_t> indices;
  for (size_t i = m_steps.warmUp.size(); i-- > 0 && indices.size() < size_t(kRecentSteps);) {
    if (m_steps.warmUp[i]) break;  // warm-up is at the run's start: nothing before it counts
    indices.push_back(i);
  }
  return indices;
}

double RunStore::recentMedian(const std::vector<double>& values) const {
  std::vector<double> recent;
  for (const size_t index : recentIndices())
    if (!std::isnan(values[index])) recent.push_back(values[index]);
  return recent.empty() ? kAbsent : median(std::move(recent));
}

RunStore::DeviceTimes RunStore::recentDeviceTimes(int device) const {
  const DeviceSteps& d = deviceSteps(device);
  const auto zeroIfAbsent = [](double value) { return std::isnan(value) ? 0.0 : value; };
  return {zeroIfAbsent(recentMedian(d.computeMs)), zeroIfAbsent(recentMedian(d.sendMs)),
          zeroIfAbsent(recentMedian(d.receiveMs)), zeroIfAbsent(recentMedian(d.waitMs))};
}

QString RunStore::deviceName(int device) const {
  return QString::fromStdString(m_started.devices[size_t(device)].name);
}

std::vector<int> RunStore::deviceKernels(int device) const {
  std::vector<int> kernels;
  if (!m_shares.empty())
    for (const std::vector<int>& layer : m_shares.back().kernels)
      kernels.push_back(layer[size_t(device)]);
  return kernels;
}

std::optional<double> RunStore::deviceShare(int device) const {
  if (m_shares.empty()) return std::nullopt;
  return m_shares.back().share[size_t(device)];
}

std::optional<double> RunStore::deviceShareAt(int device, int index) const {
  const double step = m_steps.number[size_t(index)];
  // A step that was repeated counts with the shares that it ended with.
  const auto since = std::find_if(m_shares.rbegin(), m_shares.rend(),
                                  [&](const RunShares& shares) { return shares.step <= step; });
  if (since == m_shares.rend()) return std::nullopt;
  return since->share[size_t(device)];
}

std::optional<double> RunStore::recentStepMs() const {
  return present(recentMedian(m_steps.stepMs));
}

std::optional<double> RunStore::medianStepMs() const {
  return m_medianStepMs.value();
}

std::optional<double> RunStore::recentCommMs() const {
  return present(recentMedian(m_steps.commMs));
}

std::optional<double> RunStore::recentSpeedup() const {
  return m_baseline ? quotient(m_baseline->step_ms, recentStepMs()) : std::nullopt;
}

std::optional<double> RunStore::speedup() const {
  return m_baseline ? quotient(m_baseline->step_ms, medianStepMs()) : std::nullopt;
}

std::optional<double> RunStore::speedupAt(int index) const {
  return m_baseline ? quotient(m_baseline->step_ms, m_steps.stepMs[size_t(index)]) : std::nullopt;
}

std::optional<double> RunStore::recentSpeedupAt(int index) const {
  return m_baseline ? quotient(m_baseline->step_ms, present(m_steps.recentStepMs[size_t(index)]))
                    : std::nullopt;
}

std::optional<double> RunStore::predictedStepMs() const {
  const bool holds = m_calibrated && asBegun();
  return holds ? m_calibrated->predicted_step_ms : std::nullopt;
}

std::optional<double> RunStore::predictedSpeedup() const {
  return m_baseline ? quotient(m_baseline->step_ms, predictedStepMs()) : std::nullopt;
}

std::optional<double> RunStore::predictionError() const {
  const std::optional<double> measured =
      m_summary && m_summary->step_ms ? m_summary->step_ms : recentStepMs();
  const std::optional<double> ratio = quotient(predictedStepMs(), measured);
  return ratio ? std::optional(*ratio - 1.0) : std::nullopt;
}

std::optional<double> RunStore::amdahlLimit() const {
  return m_baseline ? std::optional(m_baseline->amdahl_limit) : std::nullopt;
}

std::optional<double> RunStore::pooledSpeed() const {
  if (!m_baseline || !m_calibrated) return std::nullopt;
  double sum = 0.0;
  for (const double gflops : m_calibrated->gflops) sum += gflops;
  return quotient(sum, m_calibrated->gflops[size_t(m_baseline->device)]);
}

std::optional<double> RunStore::efficiency() const {
  return quotient(recentSpeedup(), pooledSpeed());
}

std::optional<double> RunStore::imagesPerSecond() const {
  return quotient(1000.0 * m_started.batch_size, recentStepMs());
}

std::optional<double> RunStore::secondsLeft() const {
  if (m_state != State::Training) return std::nullopt;
  // On the virtual clock a step takes as long as many computers would need for it.
  const std::optional<double> ms = isVirtual() ? present(recentMedian(m_realMs)) : recentStepMs();
  if (!ms) return std::nullopt;
  return *ms / 1000.0 * std::max(0, m_started.steps - stepCount());
}

}  // namespace convoy::ui
