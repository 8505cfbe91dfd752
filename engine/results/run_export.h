// A recorded run as files again: those that the run itself leaves, byte for byte.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "engine/results/lab_book_reader.h"

namespace convoy {

// Writes experiment.json, steps.csv, devices.csv and, of a run that has ended, summary.csv into
// `folder`, which is made where it is missing, and returns their names. The lab book has neither
// timeline (trace.json) nor weights nor calibration. Throws Error(kUsage) where one of these files
// is there already, before anything is written, Error(kData) for what the lab book does not tell,
// Error(kRun) where the files cannot be written; each is there whole or not at all.
std::vector<std::string> export_run(LabBookReader& book, const std::string& run,
                                    const std::filesystem::path& folder);

// Throws Error(kUsage) where `folder` has one of `names`.
void refuse_existing(const std::filesystem::path& folder, const std::vector<std::string>& names);

}  // namespace convoy
