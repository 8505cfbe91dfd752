// The commands of the `convoy` program: one function and one file each.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>

#include "app/cli/help_format.h"

namespace convoy::cli {

// What the chosen command does once the whole command line has been read; returns the exit code.
using Action = std::function<int()>;

void add_devices_command(CLI::App& app, Action& action);
void add_run_command(CLI::App& app, Action& action);
void add_sweep_command(CLI::App& app, Action& action);
void add_predict_command(CLI::App& app, Action& action);
void add_conv_command(CLI::App& app, Action& action);
void add_bench_command(CLI::App& app, Action& action);
void add_bench_step_command(CLI::App& bench, Action& action);
void add_export_command(CLI::App& app, Action& action);
void add_data_command(CLI::App& app, Action& action);

// A subcommand whose own parsing is checked and that then becomes the action. `Options` is filled
// by the options that the caller adds to the subcommand.
template <class Options>
void choose(CLI::App& command, Action& action, std::shared_ptr<Options> options,
            int (*run)(const Options&)) {
  command.callback([&action, options, run] { action = [options, run] { return run(*options); }; });
}

}  // namespace convoy::cli
