// What has been recorded in a lab book.
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "engine/results/lab_book_tables.h"
#include "engine/results/run_rows.h"

namespace convoy {

struct RecordedRun {
  // As on_finished told it. Of a run under way, or killed, only what was known at its start: it has
  // no outcome, and `summary.outcome` means nothing.
  RunSummary summary;
  std::optional<RunOutcome> outcome;
  std::string started_utc;  // "2026-11-21 13:17:02"
  std::string experiment_json;
  std::vector<std::string> device_names;
};

// Reads, and writes nothing, save that a lab book of an older version is brought up to date. All
// functions throw Error(kData) that names the file. Used by one thread; other programs may go on
// recording in the meantime.
class LabBookReader {
 public:
  // Refuses what is not there, is no lab book, is damaged or is of a newer version.
  explicit LabBookReader(const std::filesystem::path& path);

  // Whatever is called within one look is of the same moment. Recording waits for its end (as long
  // as ten seconds): keep it short.
  class Look {
   public:
    explicit Look(LabBookReader& reader)
        : transaction_(reader.database_, Transaction::Kind::kReading) {}

   private:
    Transaction transaction_;
  };

  std::vector<std::string> run_ids();  // in the order of their start
  // None where there is no run of this name.
  std::optional<RecordedRun> run(const std::string& id);
  // In their order; a RunStep has all but its timeline.
  void for_each_step(const std::string& id, const std::function<void(const RunStep&)>& visit);
  // In the order of devices.csv. Runs recorded with version 1 have neither algorithm nor pictures.
  void for_each_device_row(const std::string& id,
                           const std::function<void(const DeviceRow&)>& visit);

 private:
  Database database_;
};

}  // namespace convoy
