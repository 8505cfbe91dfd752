// How help and complaints about the command line read.
#pragma once

#include <CLI/CLI.hpp>
#include <string>

namespace convoy::cli {

// CLI11's layout, wrapped to 80 columns; an option shows the name of its value ("--set path=value")
// and nothing of how that is checked.
class HelpFormat : public CLI::Formatter {
 public:
  std::string make_option_opts(const CLI::Option* option) const override;
  std::string make_option_desc(const CLI::Option* option) const override;
  std::string make_subcommand(const CLI::App* command) const override;
  std::string make_description(const CLI::App* app) const override;
  std::string make_footer(const CLI::App* app) const override;
};

// "convoy: --xml was not expected", and whose --help tells more.
std::string usage_message(const CLI::App* app, const CLI::Error& error);

// Refuses "", which is a variable of a script that was never set more often than it is meant.
extern const CLI::Validator kNotEmpty;

}  // namespace convoy::cli
