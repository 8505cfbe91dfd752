#include "app/cli/sweep_results.h"

#include <algorithm>
#include <system_error>

#include "app/cli/text_table.h"
#include "engine/base/atomic_file.h"
#include "engine/results/summary_csv.h"

namespace convoy::cli {
namespace {

std::filesystem::path new_file(const std::filesystem::path& folder) {
  std::error_code error;
  const std::filesystem::path file = folder / "sweep.csv";
  if (std::filesystem::exists(file, error))
    throw Error(ErrorKind::kUsage, "--out " + folder.string(),
                "there is the sweep.csv of an earlier sweep in it, which is not written over; "
                "name another folder, or remove that one");
  make_folder(folder, "the sweep");
  return file;
}

std::string heading_line(const std::vector<std::string>& paths) {
  const std::vector<std::string_view>& summary = summary_columns();
  CsvLines csv;
  csv.add_all("folder", "repeat");
  for (const std::string& path : paths) {
    const bool taken = std::find(summary.begin(), summary.end(), path) != summary.end();
    csv.add(taken ? "varied " + path : path);
  }
  for (const std::string_view column : summary) csv.add(column);
  csv.end_line();
  return csv.text();
}

}  // namespace

SweepResults::SweepResults(const std::filesystem::path& folder, std::vector<std::string> paths)
    : paths_(std::move(paths)), file_(new_file(folder), heading_line(paths_)) {}

SweepResults::Combination& SweepResults::combination(const std::vector<std::string>& values) {
  const auto found = std::find_if(combinations_.begin(), combinations_.end(),
                                  [&](const Combination& other) { return other.values == values; });
  if (found != combinations_.end()) return *found;
  return combinations_.emplace_back(Combination{values, 0, 0, {}, {}});
}

void SweepResults::add(const SweptRun& run, const RunSummary& summary) {
  CsvLines csv;
  csv.add_all(run.folder, run.repeat);
  for (const std::string& value : run.values) csv.add(value);
  add_summary(csv, summary);
  csv.end_line();
  file_.append(csv.text());

  Combination& runs = combination(run.values);
  ++runs.runs;
  // What a run measured before it failed or was stopped is in the file, not in the medians.
  if (summary.outcome != RunOutcome::kDone) return;
  ++runs.done;
  if (summary.step_ms) runs.step_ms.add(*summary.step_ms);
  if (summary.speedup) runs.speedup.add(*summary.speedup);
}

std::string SweepResults::table() const {
  std::vector<std::string> headings = paths_;
  for (const char* name : {"runs done", "step ms", "speedup"}) headings.emplace_back(name);
  TextTable table(headings);
  const auto cell = [](const Measurements& measured) {
    return measured.empty() ? "-" : fixed(measured.median(), 2);
  };
  for (const Combination& runs : combinations_) {
    std::vector<std::string> cells = runs.values;
    cells.push_back(std::to_string(runs.done) + " of " + std::to_string(runs.runs));
    cells.push_back(cell(runs.step_ms));
    cells.push_back(cell(runs.speedup));
    table.add_row(cells);
  }
  return table.text();
}

}  // namespace convoy::cli
