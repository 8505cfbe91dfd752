#include "app/cli/help_format.h"

#include <algorithm>
#include <sstream>

namespace convoy::cli {
namespace {

constexpr std::size_t kColumns = 80;

// Breaks lines between words; line breaks of the text are as good as blanks.
std::string wrapped(const std::string& text, std::size_t columns) {
  std::istringstream words(text);
  std::string result, line;
  for (std::string word; words >> word;) {
    if (!line.empty() && line.size() + 1 + word.size() > columns) {
      result += line + '\n';
      line.clear();
    }
    line += (line.empty() ? "" : " ") + word;
  }
  return result + line;
}

}  // namespace

std::string HelpFormat::make_option_opts(const CLI::Option* option) const {
  if (option->get_positional() || option->get_type_size() == 0) return {};
  // What follows a colon is how the value is checked, but for types like FIRST:LAST.
  const std::string type = option->get_type_name();
  const std::size_t colon = type.find(':');
  const bool checked = colon != std::string::npos &&
                       !std::all_of(type.begin() + static_cast<std::ptrdiff_t>(colon) + 1,
                                    type.end(), [](char c) { return c >= 'A' && c <= 'Z'; });
  return type.empty() ? type : " " + get_label(checked ? type.substr(0, colon) : type);
}

std::string HelpFormat::make_option_desc(const CLI::Option* option) const {
  std::string text = option->get_description();
  if (option->get_required() && !option->get_positional()) text += " (required)";
  if (!option->get_default_str().empty()) text += " (default " + option->get_default_str() + ")";
  return wrapped(text, kColumns - get_column_width());
}

std::string HelpFormat::make_subcommand(const CLI::App* command) const {
  std::ostringstream out;
  CLI::detail::format_help(out, command->get_display_name(true),
                           wrapped(command->get_description(), kColumns - get_column_width()),
                           get_column_width());
  return out.str();
}

std::string HelpFormat::make_description(const CLI::App* app) const {
  return wrapped(app->get_description(), kColumns) + '\n';
}

std::string HelpFormat::make_footer(const CLI::App* app) const {
  const std::string& text = app->get_footer();
  return text.empty() ? text : wrapped(text, kColumns) + '\n';
}

std::string usage_message(const CLI::App* app, const CLI::Error& error) {
  std::string command = app->get_name();
  while (!app->get_subcommands().empty()) {
    app = app->get_subcommands().front();
    command += " " + app->get_name();
  }
  return std::string("convoy: ") + error.what() + "\nRun " + command +
         " --help for more information.\n";
}

const CLI::Validator kNotEmpty(
    [](const std::string& value) {
      return value.empty() ? std::string("an empty name is given; name one, or leave it out")
                           : std::string();
    },
    "");

}  // namespace convoy::cli
