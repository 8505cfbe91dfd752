// How far work has come, on standard error: one line that is redrawn on a terminal, plain lines
// elsewhere.
#pragma once

#include <string>

#include "engine/conv/timeline.h"

namespace convoy::cli {

// Used by one thread.
class ProgressLine {
 public:
  explicit ProgressLine(bool quiet);
  ~ProgressLine();  // leaves the last state standing on a line of its own
  ProgressLine(const ProgressLine&) = delete;
  ProgressLine& operator=(const ProgressLine&) = delete;

  // A new kind of work begins: elapsed and remaining time count from here.
  void begin(const std::string& what);
  // `done` of `total`; total 0 is unknown. A terminal is redrawn some ten times a second, elsewhere
  // every tenth of the whole makes a line, unless the work is short.
  void update(double done, double total, const std::string& detail, bool is_short = false);
  // A line that stays, also when quiet.
  void message(const std::string& text);

 private:
  std::string bar(double fraction) const;
  void draw(const std::string& line);
  void finish_line();

  bool quiet_, terminal_;
  std::string what_;
  TimePoint began_, drawn_;
  bool line_open_ = false;
  int tenths_ = -1;
  std::string pending_;  // the newest state, not yet drawn
};

}  // namespace convoy::cli
