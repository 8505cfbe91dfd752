// The lab book: every recorded run in one SQLite file. lab_book_tables.h tells what is in it,
// lab_book_reader.h reads it.
#pragma once

#include <filesystem>
#include <memory>

#include "engine/results/run_events.h"

namespace convoy {

// A listener that records a run. Steps are written in batches, one transaction each; what is left
// at the end with the summary. Throws Error(kRun) that names the file. Used by one thread; several
// programs may write to one lab book.
class LabBook : public RunListener {
 public:
  // Opens or creates it, and brings one of an older version up to date. Refuses a file that is no
  // lab book, is damaged, or is of a newer version, and leaves it as it is.
  explicit LabBook(const std::filesystem::path& path);
  ~LabBook() override;

  void on_started(const RunStarted&) override;
  void on_calibrated(const RunCalibrated&) override;
  void on_step(const RunStep&) override;
  void on_shares(const RunShares&) override;
  void on_finished(const RunSummary&) override;

 private:
  struct State;
  void write_steps();

  std::unique_ptr<State> state_;
};

}  // namespace convoy
