// Runs of a second or less, and a listener that keeps what it is told.
#pragma once

#include <algorithm>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "engine/results/run_events.h"
#include "engine/training/experiment.h"

namespace convoy {

// On the built-in data; its devices are the test's to name.
inline Experiment small_experiment(std::vector<int> kernels, int batch_size, int steps) {
  Experiment experiment;
  experiment.dataset.train_limit = 64;
  experiment.dataset.test_limit = 20;
  experiment.network.kernels = std::move(kernels);
  experiment.training.batch_size = batch_size;
  experiment.training.steps = steps;
  return experiment;
}

inline DeviceSpec device_on(const std::string& id, const std::string& name, double speed = 1.0) {
  return {id, name, speed, std::nullopt};
}

class RunRecorder : public RunListener {
 public:
  void on_started(const RunStarted& event) override {
    order += 'S';
    started = event;
  }
  void on_calibrated(const RunCalibrated& event) override {
    order += 'C';
    calibrated = event;
  }
  void on_baseline(const RunBaseline& event) override {
    order += 'B';
    baseline = event;
  }
  void on_step(const RunStep& event) override {
    order += '.';
    steps.push_back(event);
    if (after_step) after_step(event);
  }
  void on_quarantine(const RunQuarantine& event) override {
    order += 'q';
    quarantines.push_back(event);
  }
  void on_readmission(const RunReadmission& event) override {
    order += 'r';
    readmissions.push_back(event);
  }
  void on_shares(const RunShares& event) override {
    order += 's';
    shares.push_back(event);
  }
  void on_message(Severity, const std::string& text) override { messages.push_back(text); }
  void on_finished(const RunSummary& event) override {
    order += 'F';
    finished = event;
  }

  // Whether a message has this in it.
  bool said(const std::string& part) const {
    return std::any_of(messages.begin(), messages.end(), [&](const std::string& text) {
      return text.find(part) != std::string::npos;
    });
  }

  std::function<void(const RunStep&)> after_step;
  std::string order;  // a letter an event: "SCCB..qs.F"
  RunStarted started;
  RunCalibrated calibrated;
  RunBaseline baseline;
  std::vector<RunStep> steps;
  std::vector<RunQuarantine> quarantines;
  std::vector<RunReadmission> readmissions;
  std::vector<RunShares> shares;
  std::vector<std::string> messages;
  RunSummary finished;
};

}  // namespace convoy
