// The files of one run: experiment.json, steps.csv, devices.csv, summary.csv, trace.json.
//
// A listener. Rows are written as they come and flushed, so that a run killed half-way leaves
// readable files; experiment.json and summary.csv appear atomically. Times in milliseconds, sizes
// in bytes, RFC 4180, a dot as decimal sign whatever the locale, numbers that read back to the same
// value.
#pragma once

#include <filesystem>
#include <memory>

#include "engine/results/run_events.h"

namespace convoy {

class RunFolder : public RunListener {
 public:
  // Creates the folder. Throws Error(kRun) when it cannot be written to. Files of an earlier run in
  // it are replaced.
  explicit RunFolder(std::filesystem::path folder);
  ~RunFolder() override;

  const std::filesystem::path& folder() const;

  void on_started(const RunStarted&) override;
  void on_calibrated(const RunCalibrated&) override;
  void on_step(const RunStep&) override;
  void on_shares(const RunShares&) override;
  void on_finished(const RunSummary&) override;

 private:
  struct Files;
  std::unique_ptr<Files> files_;
};

}  // namespace convoy
