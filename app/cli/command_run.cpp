// convoy run: an experiment, start to end.
#include <csignal>
#include <iostream>

#include "app/cli/commands.h"
#include "app/cli/event_lines.h"
#include "app/cli/experiment_argument.h"
#include "app/cli/interrupt.h"
#include "app/cli/run_progress.h"
#include "app/cli/run_report.h"
#include "engine/base/atomic_file.h"
#include "engine/results/lab_book.h"
#include "engine/training/run.h"

namespace convoy::cli {
namespace {

struct Options {
  ExperimentArgument experiment;
  std::string out, events, record;
  bool quiet = false;
};

int run(const Options& options) {
  const Experiment experiment =
      parse_experiment(options.experiment.text(), options.experiment.file);
  // A reader of the events that goes away is an error to report, not a reason to die unsaved.
  std::signal(SIGPIPE, SIG_IGN);
  // Events and lab book may lie in it, too.
  if (!options.out.empty()) make_folder(options.out, "the run's files");
  RunControl control;
  const InterruptGuard interrupt(control);
  RunReport report;
  RunSummary summary;
  {
    RunProgress progress(options.quiet);
    std::vector<RunListener*> listeners = {&progress, &report};
    std::optional<EventLines> events;
    if (!options.events.empty()) listeners.push_back(&events.emplace(options.events));
    std::optional<LabBook> lab_book;
    if (!options.record.empty()) listeners.push_back(&lab_book.emplace(options.record));
    const auto out =
        options.out.empty() ? std::nullopt : std::optional<std::filesystem::path>(options.out);
    try {
      summary = run_experiment(experiment, control, listeners, out);
    } catch (const Error& error) {
      options.experiment.rethrow(error);
    }
  }
  // Standard output belongs to the events where they go there.
  std::ostream& out = options.events == "-" ? std::cerr : std::cout;
  out << report.text(summary);
  if (!options.out.empty()) out << "files       " << options.out << '\n';
  return summary.outcome == RunOutcome::kStopped ? kExitInterrupted : 0;
}

}  // namespace

void add_run_command(CLI::App& app, Action& action) {
  CLI::App* command = app.add_subcommand("run", "Run an experiment");
  const auto options = std::make_shared<Options>();
  options->experiment.add_to(*command);
  command
      ->add_option("--out", options->out,
                   "Folder for experiment.json, steps.csv, devices.csv, summary.csv, trace.json, "
                   "calibration.json and weights.safetensors")
      ->type_name("DIR")
      ->check(kNotEmpty);
  command
      ->add_option("--record", options->record,
                   "Lab book (SQLite) to add the run to; created when it is not there")
      ->type_name("FILE")
      ->check(kNotEmpty);
  command
      ->add_option("--events", options->events,
                   "File for the run's events, one JSON object a line; - is standard output, the "
                   "table then goes to standard error")
      ->type_name("FILE")
      ->check(kNotEmpty);
  command->add_flag("--quiet", options->quiet, "No progress, only warnings and errors");
  command->footer(
      "Events have the key \"event\": started, phase, calibrated, baseline, step, quarantine, "
      "readmission, shares, message, finished; their other keys are named as the columns of the "
      "CSV files. Ctrl-C stops the run and keeps what was measured; a second one ends the program "
      "at once.");
  choose(*command, action, options, run);
}

}  // namespace convoy::cli
