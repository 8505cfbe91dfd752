// A run's progress and messages on standard error.
#pragma once

#include "app/cli/progress_line.h"
#include "engine/results/run_events.h"

namespace convoy::cli {

class RunProgress : public RunListener {
 public:
  // Quiet: only warnings and errors.
  explicit RunProgress(bool quiet) : quiet_(quiet), line_(quiet) {}

  void on_started(const RunStarted&) override;
  void on_phase(RunPhase, const std::string& what, int done, int total) override;
  void on_step(const RunStep&) override;
  void on_message(Severity, const std::string& text) override;

 private:
  bool quiet_;
  ProgressLine line_;
  int steps_ = 0;
};

}  // namespace convoy::cli
