#include <fcntl.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <new>

#include "app/cli/commands.h"
#include "engine/base/error.h"
#include "engine/device/discovery.h"
#include "engine/training/run.h"

namespace {

int report(const char* message, int code) {
  std::cerr << "convoy: " << message << '\n';
  return code;
}

// Where a stream is closed ("2>&-"), the next file that is opened gets its number, and messages
// would go into that file. What may only be read takes none: they are lost or an error, as is due.
void keep_stream_numbers() {
  for (const int stream : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO})
    if (::fcntl(stream, F_GETFD) < 0) (void)!::open("/dev/null", O_RDONLY);
}

// CLI11 says of a command that it does not know only that one is required.
void refuse_unknown_command(const CLI::App& app, const std::string& word) {
  if (word.empty() || word.front() == '-') return;
  std::string commands;
  for (const CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; })) {
    if (command->get_name() == word) return;
    commands += (commands.empty() ? "" : ", ") + command->get_name();
  }
  throw convoy::Error(convoy::ErrorKind::kUsage, "",
                      "there is no command \"" + word + "\"; the commands are " + commands);
}

int parse_and_run(int argc, char** argv) {
  using namespace convoy;
  CLI::App app(
      "Trains convolutional networks over unequal CPUs and GPUs by distributing the convolutional "
      "layers, and shows where the time goes.",
      "convoy");
  const auto help = std::make_shared<cli::HelpFormat>();
  help->label("INT", "N");
  help->label("FLOAT", "X");
  app.formatter(help);
  app.failure_message(cli::usage_message);
  app.require_subcommand(1);
  app.set_version_flag("--version", "convoy " CONVOY_VERSION);
  app.footer(
      "Exit codes: 0 done; 2 wrong usage or invalid experiment; 3 device missing or failed; 4 data "
      "unreadable; 5 the run failed; 130 interrupted (what was measured is saved).");
  cli::Action action;
  cli::add_devices_command(app, action);
  cli::add_run_command(app, action);
  cli::add_sweep_command(app, action);
  cli::add_predict_command(app, action);
  cli::add_conv_command(app, action);
  cli::add_bench_command(app, action);
  cli::add_export_command(app, action);
  cli::add_data_command(app, action);
  refuse_unknown_command(app, argc > 1 ? argv[1] : "");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : exit_code(ErrorKind::kUsage);
  }
  const int code = action();
  if (!std::cout.flush())
    throw Error(ErrorKind::kRun, "standard output", "cannot write the results");
  return code;
}

int run_program(int argc, char** argv) {
  try {
    return parse_and_run(argc, argv);
  } catch (const convoy::Interrupted&) {
    return report("interrupted", convoy::kExitInterrupted);
  } catch (const convoy::Error& error) {
    return report(error.what(), exit_code(error.kind()));
  } catch (const std::bad_alloc&) {
    return report("not enough memory", exit_code(convoy::ErrorKind::kRun));
  } catch (const std::exception& error) {
    return report(error.what(), exit_code(convoy::ErrorKind::kRun));
  }
}

}  // namespace

int main(int argc, char** argv) {
  keep_stream_numbers();
  convoy::keep_runtimes_on_cores();
  // A file that may grow no further is an error to report, not a reason to die unsaved.
  std::signal(SIGXFSZ, SIG_IGN);
  const int code = run_program(argc, argv);
  if (convoy::devices_left_hanging() == 0) return code;
  std::fflush(nullptr);
  std::_Exit(code);  // not under a driver's feet
}
