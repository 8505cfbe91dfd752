// The small table at the end of a run.
#pragma once

#include <string>
#include <vector>

#include "app/cli/statistics.h"
#include "engine/results/run_events.h"

namespace convoy::cli {

class RunReport : public RunListener {
 public:
  void on_started(const RunStarted&) override;
  void on_calibrated(const RunCalibrated&) override;
  void on_step(const RunStep&) override;
  void on_shares(const RunShares&) override;

  // Times per step are medians without the warm-up steps.
  std::string text(const RunSummary& summary) const;

 private:
  struct DeviceTimes {
    Measurements conv, send, receive, wait;
  };

  std::string device_table() const;

  RunStarted started_;
  RunCalibrated calibrated_;
  std::vector<DeviceTimes> times_;
};

}  // namespace convoy::cli
