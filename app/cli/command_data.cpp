// convoy data fetch: download of the public data sets.
#include <iostream>

#include "app/cli/commands.h"
#include "app/cli/interrupt.h"
#include "app/cli/progress_line.h"
#include "app/cli/text_table.h"
#include "datasets/fetch.h"

namespace convoy::cli {
namespace {

struct Options {
  std::string name, url, folder;
  std::vector<std::string> checksums;
  bool quiet = false;
};

int run(const Options& options) {
  const auto kind = dataset_kind_from_name(options.name);
  if (!kind || *kind == DatasetKind::kSynthetic || *kind == DatasetKind::kFolder)
    throw Error(ErrorKind::kUsage, "NAME",
                "found \"" + options.name + "\"; it must be cifar10, cifar100 or mnist");
  StopToken stop;
  const InterruptGuard interrupt(stop);
  ProgressLine progress(options.quiet);
  FetchOptions fetch;
  fetch.url = options.url;
  fetch.checksums = options.checksums;
  fetch.folder = options.folder;
  fetch.stop = &stop;
  fetch.progress = [&](std::uint64_t bytes, std::uint64_t total, std::string_view phase) {
    progress.begin(std::string(phase));
    const double done = static_cast<double>(bytes), all = static_cast<double>(total);
    progress.update(done, all, bytes_text(done) + (total > 0 ? " of " + bytes_text(all) : ""));
  };
  const FetchedDataset fetched = fetch_dataset(*kind, fetch);
  std::cout << fetched.folder.string()
            << (fetched.was_there ? ": is there already and readable\n" : ": fetched\n");
  return 0;
}

}  // namespace

void add_data_command(CLI::App& app, Action& action) {
  CLI::App* data = app.add_subcommand("data", "Data sets");
  data->require_subcommand(1);
  CLI::App* command = data->add_subcommand(
      "fetch", "Download, check and unpack a public data set; resumes a broken download");
  const auto options = std::make_shared<Options>();
  command->add_option("NAME", options->name, "cifar10, cifar100 or mnist")->required();
  command
      ->add_option("--url", options->url,
                   "Another place of the official archive (mnist: of the folder with its files)")
      ->type_name("URL");
  command
      ->add_option("--md5", options->checksums,
                   "Expected MD5 of each file instead of the official one, for other content")
      ->type_name("MD5,...")
      ->delimiter(',');
  command
      ->add_option(
          "--to", options->folder,
          "Folder in which the data set's folder is made; else $XDG_DATA_HOME/convoy/datasets or "
          "~/.local/share/convoy/datasets")
      ->type_name("DIR")
      ->check(kNotEmpty);
  command->add_flag("--quiet", options->quiet, "No progress");
  command->footer("The data set's folder appears whole or not at all; its path is printed.");
  choose(*command, action, options, run);
}

}  // namespace convoy::cli
