// convoy sweep: an experiment in all variations, run one after another.
#include <algorithm>
#include <cstdio>
#include <iostream>
#include <optional>
#include <utility>

#include "app/cli/commands.h"
#include "app/cli/experiment_argument.h"
#include "app/cli/interrupt.h"
#include "app/cli/run_progress.h"
#include "app/cli/sweep_results.h"
#include "app/cli/vary_argument.h"
#include "engine/base/error.h"
#include "engine/training/run.h"
#include "engine/training/run_description.h"
#include "engine/training/run_devices.h"

namespace convoy::cli {
namespace {

struct Options {
  ExperimentArgument experiment;
  std::vector<std::string> vary;
  int repeat = 1;
  std::string out;
  bool quiet = false;
};

// Keeps the summary of a run that ends in an exception.
class LastWords : public RunListener {
 public:
  void on_finished(const RunSummary& summary) override { summary_ = summary; }
  const std::optional<RunSummary>& summary() const { return summary_; }

 private:
  std::optional<RunSummary> summary_;
};

// "002"
std::string folder_name(std::size_t number) {
  char name[24];
  std::snprintf(name, sizeof name, "%03zu", number);
  return name;
}

// "link.bandwidth_mbps=100, devices=2"
std::string describe(const std::vector<std::string>& paths,
                     const std::vector<std::string>& values) {
  std::string text;
  for (std::size_t i = 0; i < paths.size(); ++i)
    text += (i > 0 ? ", " : "") + paths[i] + "=" + values[i];
  return text;
}

// What is missing at the last of many runs is better said before the first.
void check_devices(const std::vector<std::string>& paths, const std::vector<Variant>& variants) {
  std::vector<std::pair<std::vector<DeviceSpec>, ClockMode>> opened;
  for (const Variant& variant : variants) {
    const Experiment& experiment = variant.experiment;
    const std::pair devices(experiment.devices, experiment.clock);
    if (std::find(opened.begin(), opened.end(), devices) != opened.end()) continue;
    opened.push_back(devices);
    try {
      open_run_devices(experiment.devices, experiment.link, experiment.clock);
    } catch (const Error& error) {
      throw Error(error.kind(), "with " + describe(paths, variant.values), error.what());
    }
  }
}

// "link.bandwidth_mbps=100, repeat 1"
std::string describe(const std::vector<std::string>& paths, const SweptRun& run) {
  return describe(paths, run.values) + ", repeat " + std::to_string(run.repeat);
}

// One run, whatever becomes of it. `name` introduces what is said about its failure.
RunSummary run_one(const Experiment& experiment, RunControl& control,
                   const std::filesystem::path& out, bool quiet, const std::string& name) {
  LastWords last;
  RunOutcome outcome = RunOutcome::kFailed;
  try {
    RunProgress progress(quiet);
    return run_experiment(experiment, control, {&progress, &last}, RunOptions(out));
  } catch (const Interrupted&) {
    outcome = RunOutcome::kStopped;
  } catch (const std::exception& error) {
    std::cerr << "convoy: " << name << " failed: " << error.what() << '\n';
  }
  // Refused or stopped before it began, it has told nothing; what it was to be is known.
  RunSummary summary = last.summary() ? *last.summary() : describe_summary(experiment, "");
  summary.outcome = outcome;
  return summary;
}

int run(const Options& options) {
  const std::vector<Variation> variations = parse_variations(options.vary);
  const std::vector<std::string> paths = paths_of(variations);
  const std::vector<Variant> variants =
      vary(options.experiment.text(), variations, options.experiment.file, default_devices);
  const auto repeats = static_cast<std::size_t>(options.repeat);
  const std::size_t runs = repeats * variants.size();
  check_devices(paths, variants);

  SweepResults results(options.out, paths);
  RunControl control;
  const InterruptGuard interrupt(control);
  bool failed = false, stopped = false;
  for (std::size_t i = 0; i < runs && !stopped; ++i) {
    // All variants, then all again: a bad minute of the machine does not hit one of them alone.
    const Variant& variant = variants[i % variants.size()];
    const SweptRun swept{folder_name(i + 1), static_cast<int>(i / variants.size()) + 1,
                         variant.values};
    const std::string name = "run " + std::to_string(i + 1) + " of " + std::to_string(runs);
    if (!options.quiet) std::cerr << name << ": " << describe(paths, swept) << std::endl;
    const RunSummary summary =
        run_one(variant.experiment, control, std::filesystem::path(options.out) / swept.folder,
                options.quiet, name + " (" + describe(paths, swept) + ")");
    results.add(swept, summary);
    failed = failed || summary.outcome == RunOutcome::kFailed;
    // A stop that came just as the run ended leaves it done, and ends what is still to come.
    stopped = summary.outcome == RunOutcome::kStopped ||
              (i + 1 < runs && control.stop_token().stop_requested());
  }
  std::cout << results.table() << "files  " << options.out << '\n';
  if (stopped) return kExitInterrupted;
  return failed ? exit_code(ErrorKind::kRun) : 0;
}

}  // namespace

void add_sweep_command(CLI::App& app, Action& action) {
  CLI::App* command =
      app.add_subcommand("sweep", "Run an experiment in all combinations of varied values");
  const auto options = std::make_shared<Options>();
  options->experiment.add_to(*command);
  add_vary_option(*command, options->vary, "Run")->required();
  command->add_option("--repeat", options->repeat, "How often each combination is run")
      ->type_name("N")
      ->check(CLI::Range(1, 10000))
      ->capture_default_str();
  command
      ->add_option("--out", options->out,
                   "Folder for sweep.csv and the runs' files, in 001, 002, ... as run --out "
                   "leaves them; must not have a sweep.csv")
      ->type_name("DIR")
      ->check(kNotEmpty)
      ->required();
  command->add_flag("--quiet", options->quiet, "No progress, only warnings and errors");
  command->footer(
      "All combinations are run once, then all again. devices=1,2,3 varies how many of the "
      "experiment's devices take part, method=paper,best all options of the distribution. "
      "sweep.csv has one line a run, written as it ends: folder, repeat, the varied values, then "
      "the columns of summary.csv. A run that fails is noted there and the sweep goes on; the exit "
      "code is then 5. A device that is missing is said before the first run. Ctrl-C stops the run "
      "under way, keeps what was measured and ends the sweep.");
  choose(*command, action, options, run);
}

}  // namespace convoy::cli
