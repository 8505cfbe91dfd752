// trace.json: a run as Chrome trace events, which Perfetto and chrome://tracing open.
//
// Format: "Trace Event Format", Google 2016. One row ("thread") a device with one slice ("X" event)
// for each piece of work, and one row for what the master does outside the convolutional layers.
// Times in microseconds since the run began. The file is valid JSON after every step.
#pragma once

#include <filesystem>

#include "engine/results/growing_file.h"
#include "engine/results/run_events.h"

namespace convoy {

const char* activity_name(Activity activity);  // "receive", "compute", "send", "wait"

// Throws Error(kRun). Used by one thread at a time.
class TraceFile {
 public:
  TraceFile(const std::filesystem::path& path, const RunStarted& started, TimePoint begin);
  void add(const RunStep& step);

 private:
  GrowingFile file_;
  TimePoint begin_;
  int master_row_;
};

}  // namespace convoy
