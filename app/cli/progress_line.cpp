#include "app/cli/progress_line.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <iostream>

#include "app/cli/text_table.h"

namespace convoy::cli {
namespace {

constexpr int kBarCells = 24;

std::size_t terminal_width() {
  struct winsize size {};
  if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return 80;
  return size.ws_col;
}

}  // namespace

ProgressLine::ProgressLine(bool quiet) : quiet_(quiet), terminal_(isatty(STDERR_FILENO) == 1) {}

ProgressLine::~ProgressLine() {
  finish_line();
}

void ProgressLine::begin(const std::string& what) {
  if (what == what_) return;
  finish_line();
  what_ = what;
  began_ = SteadyClock::now();
  drawn_ = TimePoint();
  tenths_ = -1;
  if (quiet_) return;
  if (terminal_)
    draw(what_);
  else
    std::cerr << what_ << '\n';
}

void ProgressLine::update(double done, double total, const std::string& detail, bool is_short) {
  if (quiet_ || (is_short && !terminal_)) return;
  const double fraction = total > 0 ? std::clamp(done / total, 0.0, 1.0) : 0.0;
  const TimePoint now = SteadyClock::now();
  const double elapsed = milliseconds(now - began_) / 1000;
  std::string line = what_;
  if (total > 0) line.append(1, ' ').append(terminal_ ? bar(fraction) : percent(fraction, 0));
  if (!detail.empty()) line += "  " + detail;
  line += "  " + duration_text(elapsed);
  if (fraction > 0 && fraction < 1)
    line += " (" + duration_text(elapsed / fraction * (1 - fraction)) + " left)";
  if (terminal_) {
    pending_ = line;
    if (now - drawn_ < std::chrono::milliseconds(100)) return;
    drawn_ = now;
    draw(line);
    return;
  }
  const int tenths = static_cast<int>(10 * fraction);
  if (tenths == tenths_) return;
  tenths_ = tenths;
  std::cerr << line << '\n';
}

void ProgressLine::message(const std::string& text) {
  finish_line();
  std::cerr << text << '\n';
}

std::string ProgressLine::bar(double fraction) const {
  const auto full = static_cast<std::size_t>(fraction * kBarCells);
  std::string text(kBarCells, '.');
  std::fill_n(text.begin(), full, '#');
  return text.insert(0, "[") + "] " + percent(fraction, 0);
}

void ProgressLine::draw(const std::string& line) {
  // Cut to the window: a line that wraps cannot be overwritten.
  std::cerr << '\r' << line.substr(0, terminal_width() - 1) << "\033[K" << std::flush;
  line_open_ = true;
  pending_.clear();
}

void ProgressLine::finish_line() {
  if (!pending_.empty()) draw(std::string(pending_));
  if (line_open_) std::cerr << '\n';
  line_open_ = false;
}

}  // namespace convoy::cli
