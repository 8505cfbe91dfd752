// What a sweep has measured so far: sweep.csv, and a table of medians at its end.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "app/cli/statistics.h"
#include "engine/results/growing_file.h"
#include "engine/results/run_events.h"

namespace convoy::cli {

struct SweptRun {
  std::string folder;               // within the sweep's: "001"
  int repeat = 0;                   // from 1
  std::vector<std::string> values;  // one for each varied path
};

// sweep.csv: `folder`, `repeat`, a column for each varied path, then the columns of summary.csv;
// one line a run, written as it ends. A path that is also the name of such a column ("devices") is
// headed "varied devices". Used by one thread.
class SweepResults {
 public:
  // Creates `folder` and its sweep.csv. Throws Error(kUsage) where there is one already, and
  // Error(kRun) where it cannot be written.
  SweepResults(const std::filesystem::path& folder, std::vector<std::string> paths);

  // Throws Error(kRun).
  void add(const SweptRun& run, const RunSummary& summary);
  // A row for each combination, in the order they were first run in: how many of its runs were
  // completed, and medians over those.
  std::string table() const;

 private:
  struct Combination {
    std::vector<std::string> values;
    int runs = 0, done = 0;
    Measurements step_ms, speedup;
  };
  Combination& combination(const std::vector<std::string>& values);

  std::vector<std::string> paths_;
  std::vector<Combination> combinations_;
  GrowingFile file_;
};

}  // namespace convoy::cli
