#include "app/cli/run_progress.h"

#include "app/cli/text_table.h"

namespace convoy::cli {

void RunProgress::on_started(const RunStarted& started) {
  steps_ = started.steps;
}

void RunProgress::on_phase(RunPhase phase, const std::string& what, int done, int total) {
  const std::string name = run_phase_name(phase);
  if (phase == RunPhase::kTraining) return line_.begin(name);  // its steps tell how far it is
  line_.begin(what == name ? name : name + ": " + what);
  line_.update(done, total, "", true);
}

void RunProgress::on_step(const RunStep& step) {
  line_.begin(run_phase_name(RunPhase::kTraining));
  line_.update(step.step, steps_,
               "step " + std::to_string(step.step) + "/" + std::to_string(steps_) + "  " +
                   fixed(step.step_ms, 1) + " ms  loss " + fixed(step.loss, 3) + "  accuracy " +
                   percent(step.train_accuracy, 0));
}

void RunProgress::on_message(Severity severity, const std::string& text) {
  if (severity == Severity::kInfo) {
    if (!quiet_) line_.message(text);
    return;
  }
  line_.message(std::string("convoy: ") +
                (severity == Severity::kWarning ? "warning: " : "error: ") + text);
}

}  // namespace convoy::cli
