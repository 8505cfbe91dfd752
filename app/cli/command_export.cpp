// convoy export: the files of recorded runs, out of a lab book.
#include <algorithm>
#include <iostream>
#include <optional>

#include "app/cli/commands.h"
#include "app/cli/interrupt.h"
#include "app/cli/text_table.h"
#include "engine/base/atomic_file.h"
#include "engine/base/stop_token.h"
#include "engine/results/run_export.h"
#include "engine/results/summary_csv.h"

namespace convoy::cli {
namespace {

namespace fs = std::filesystem;

struct Options {
  std::string book, out;
  std::optional<std::string> run;
};

// "is not in book.sqlite; its newest runs are ..."
[[noreturn]] void refuse_unknown_run(const Options& options, const std::vector<std::string>& ids) {
  constexpr std::size_t kShown = 5;
  std::string newest;
  for (std::size_t i = 0; i < std::min(kShown, ids.size()); ++i)
    newest += (i > 0 ? ", " : "") + ids[ids.size() - 1 - i];
  throw Error(ErrorKind::kUsage, "--run " + *options.run,
              "is not in " + options.book +
                  (ids.size() == 1 ? "; its only run is " : "; its newest runs are ") + newest);
}

// A run's folder has its name, which somebody else's lab book may have made anything.
void check_name(const std::string& id, const std::string& book) {
  const bool plain = !id.empty() && id != "." && id != ".." &&
                     id.find_first_of(std::string("/\0", 2)) == std::string::npos;
  if (!plain)
    throw Error(ErrorKind::kData, book,
                "it has a run called \"" + id +
                    "\", which cannot be a folder's name; export the others by --run");
}

// Each run with the folder that its files go to.
struct Target {
  std::string run;
  fs::path folder;
};

std::vector<Target> targets(const Options& options, LabBookReader& book) {
  const std::vector<std::string> ids = book.run_ids();
  if (ids.empty())
    throw Error(ErrorKind::kData, options.book, "no run has been recorded in this lab book");
  if (options.run) {
    if (std::find(ids.begin(), ids.end(), *options.run) == ids.end())
      refuse_unknown_run(options, ids);
    return {{*options.run, options.out}};
  }
  std::vector<Target> all;
  for (const std::string& id : ids) {
    check_name(id, options.book);
    all.push_back({id, fs::path(options.out) / id});
  }
  return all;
}

int run(const Options& options) {
  LabBookReader book(options.book);
  const std::vector<Target> runs = targets(options, book);
  const bool whole_book = !options.run;
  if (whole_book) {
    refuse_existing(options.out, {"summary.csv"});
    for (const Target& target : runs) refuse_existing(options.out, {target.run});
  }

  StopToken stop;
  const InterruptGuard interrupt(stop);
  TextTable table({"<run", "<name", "<network", "steps", "<outcome", "<files"});
  std::vector<RunSummary> ended;
  for (const Target& target : runs) {
    stop.throw_if_stopped();
    const std::vector<std::string> files = export_run(book, target.run, target.folder);
    const RecordedRun recorded = book.run(target.run).value();
    std::string names;
    for (const std::string& file : files) names += (names.empty() ? "" : " ") + file;
    table.add_row({target.run, recorded.summary.name, recorded.summary.network,
                   recorded.outcome ? std::to_string(recorded.summary.steps) : "-",
                   recorded.outcome ? run_outcome_name(*recorded.outcome) : "not ended", names});
    if (recorded.outcome) ended.push_back(recorded.summary);
  }
  if (whole_book) write_file_atomically(fs::path(options.out) / "summary.csv", summary_csv(ended));
  std::cout << table.text() << "files  " << options.out << '\n';
  return 0;
}

}  // namespace

void add_export_command(CLI::App& app, Action& action) {
  CLI::App* command = app.add_subcommand("export", "Write the files of recorded runs");
  const auto options = std::make_shared<Options>();
  command->add_option("LABBOOK.sqlite", options->book, "The lab book that `run --record` filled")
      ->required();
  command->add_option("--run", options->run, "Only this run, straight into the folder of --out")
      ->type_name("RUN");
  command
      ->add_option("--out", options->out,
                   "Folder for the files; without --run each run gets a folder in it of its own "
                   "name, and summary.csv has a line for each run that has ended")
      ->type_name("DIR")
      ->check(kNotEmpty)
      ->required();
  command->footer(
      "experiment.json, steps.csv, devices.csv and summary.csv are those that the run itself "
      "leaves (run --out), byte for byte; a run that is under way or was killed has no "
      "summary.csv. The lab book keeps neither trace.json nor calibration.json nor weights. Charts "
      "are saved in the workbench. Nothing is written over. A lab book of an older version is "
      "brought up to date; of its runs algorithm, pictures and gradient_difference are not known "
      "and stay empty.");
  choose(*command, action, options, run);
}

}  // namespace convoy::cli
