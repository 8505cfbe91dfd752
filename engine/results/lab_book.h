// The lab book: every recorded run in one SQLite file.
//
// Tables (schema version 1, in PRAGMA user_version):
//   runs          one row a run: what it was, its summary, the experiment as it was really run
//   run_devices   one row a device of a run, numbered from 0
//   steps         one row a step, as steps.csv
//   device_steps  one row a step, device, layer and pass, as devices.csv
// Times in milliseconds, sizes in bytes, what was not measured is NULL. A run under way, or killed,
// has no outcome.
#pragma once

#include <filesystem>
#include <memory>

#include "engine/results/run_events.h"

namespace convoy {

// A listener that records a run. Steps are written in batches, one transaction each; what is left
// at the end with the summary. Throws Error(kRun) that names the file. Used by one thread; several
// programs may write to one lab book.
class LabBook : public RunListener {
 public:
  // Opens or creates it. Refuses a file that is no lab book or one of a newer version.
  explicit LabBook(const std::filesystem::path& path);
  ~LabBook() override;

  void on_started(const RunStarted&) override;
  void on_calibrated(const RunCalibrated&) override;
  void on_step(const RunStep&) override;
  void on_shares(const RunShares&) override;
  void on_finished(const RunSummary&) override;

 private:
  struct State;
  void write_steps();

  std::unique_ptr<State> state_;
};

}  // namespace convoy
