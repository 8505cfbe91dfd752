// A run's events as JSON lines, for other programs (`convoy run --events`).
#pragma once

#include <filesystem>
#include <fstream>
#include <nlohmann/json_fwd.hpp>
#include <ostream>

#include "engine/results/run_events.h"

namespace convoy::cli {

// One object a line, flushed; its key "event" says which: started, phase, calibrated, baseline,
// step, quarantine, readmission, shares, message, finished. The other keys are named as in the CSV
// files. Throws Error(kRun) when a line cannot be written.
class EventLines : public RunListener {
 public:
  // "-" is standard output.
  explicit EventLines(const std::string& path);

  void on_started(const RunStarted&) override;
  void on_phase(RunPhase, const std::string& what, int done, int total) override;
  void on_calibrated(const RunCalibrated&) override;
  void on_baseline(const RunBaseline&) override;
  void on_step(const RunStep&) override;
  void on_quarantine(const RunQuarantine&) override;
  void on_readmission(const RunReadmission&) override;
  void on_shares(const RunShares&) override;
  void on_message(Severity, const std::string& text) override;
  void on_finished(const RunSummary&) override;

 private:
  void write(const nlohmann::ordered_json& event);

  std::string path_;
  std::ofstream file_;
  std::ostream* out_;
  std::vector<std::string> devices_;
};

}  // namespace convoy::cli
