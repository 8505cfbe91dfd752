#include "engine/results/run_events.h"

namespace convoy {

const char* run_phase_name(RunPhase phase) {
  switch (phase) {
    case RunPhase::kPreparing:
      return "preparing";
    case RunPhase::kCalibrating:
      return "calibrating";
    case RunPhase::kBaseline:
      return "baseline";
    case RunPhase::kTraining:
      return "training";
    case RunPhase::kTesting:
      break;
  }
  return "testing";
}

const char* share_change_name(ShareChange change) {
  switch (change) {
    case ShareChange::kQuarantine:
      return "quarantine";
    case ShareChange::kReadmission:
      return "readmission";
    case ShareChange::kRebalance:
      break;
  }
  return "rebalance";
}

const char* run_outcome_name(RunOutcome outcome) {
  switch (outcome) {
    case RunOutcome::kDone:
      return "done";
    case RunOutcome::kStopped:
      return "stopped";
    case RunOutcome::kFailed:
      break;
  }
  return "failed";
}

std::optional<RunOutcome> run_outcome_from_name(std::string_view name) {
  for (const RunOutcome outcome : {RunOutcome::kDone, RunOutcome::kStopped, RunOutcome::kFailed})
    if (name == run_outcome_name(outcome)) return outcome;
  return std::nullopt;
}

}  // namespace convoy
