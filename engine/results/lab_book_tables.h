// The tables of a lab book's file, and how those of an earlier version are brought up to date.
//
// Schema version 2 (in PRAGMA user_version):
//   runs          one row a run: what it was, its summary, the experiment as it was really run
//   run_devices   one row a device of a run, numbered from 0
//   steps         one row a step, as steps.csv
//   device_steps  one row a step, device, layer and pass, as devices.csv
// Times in milliseconds, sizes in bytes, what was not measured is NULL. A run under way, or killed,
// has no outcome.
//
// Version 1 lacked gradient_difference of runs, bandwidth_mbps of steps, algorithm and pictures of
// device_steps. No run of that time could change its bandwidth, so its steps get the run's; the
// others stay NULL.
#pragma once

#include "engine/results/sqlite.h"

namespace convoy {

// Makes the tables where the file is new, and brings an older lab book up to date; all or nothing.
// Refuses what is no lab book, is damaged (as far as is seen before rows are read), or is of a
// newer version, and leaves it as it is. Throws the database's Error.
void prepare_lab_book(Database& database, Database::Open open);

}  // namespace convoy
