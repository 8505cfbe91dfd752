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
  app.require_subcommand(1);
  app.set_version_flag("--version", "convoy " CONVOY_VERSION);
  app.footer(
      "Exit codes: 0 done; 2 wrong usage or invalid experiment; 3 device missing or failed; 4 "
      "data\n"
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
  convoy::keep_runtimes_on_cores();
  // A file that may grow no further is an error to report, not a reason to die unsaved.
  std::signal(SIGXFSZ, SIG_IGN);
  const int code = run_program(argc, argv);
  if (convoy::devices_left_hanging() == 0) return code;
  std::fflush(nullptr);
  std::_Exit(code);  // not under a driver's feet
}
