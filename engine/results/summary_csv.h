// summary.csv, whose columns sweep.csv has too.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "engine/results/csv.h"
#include "engine/results/run_events.h"

namespace convoy {

// In the order of add_summary().
const std::vector<std::string_view>& summary_columns();
// One field for each column; does not end the line.
void add_summary(CsvLines& csv, const RunSummary& summary);
// The whole file: a heading and a line for each run.
std::string summary_csv(const std::vector<RunSummary>& summaries);

}  // namespace convoy
