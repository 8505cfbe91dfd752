#include "engine/results/lab_book_tables.h"

#include <iterator>

namespace convoy {
namespace {

// What leads from each version to the next; a new file takes all of it.
constexpr const char* kMigrations[] = {
    R"(
CREATE TABLE runs (
  run TEXT PRIMARY KEY,
  started_utc TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP,
  name TEXT NOT NULL, dataset TEXT NOT NULL, network TEXT NOT NULL, batch_size INTEGER NOT NULL,
  devices INTEGER NOT NULL, bandwidth_mbps REAL, split TEXT NOT NULL,
  planned_steps INTEGER NOT NULL, experiment_json TEXT NOT NULL,
  outcome TEXT, failure TEXT, steps INTEGER,
  step_ms REAL, step_ms_p10 REAL, step_ms_p90 REAL, conv_ms REAL, comm_ms REAL, comp_ms REAL,
  conv_share REAL, baseline TEXT, baseline_step_ms REAL, speedup REAL, efficiency REAL,
  amdahl_limit REAL, predicted_step_ms REAL, images_per_s REAL, loss REAL, test_accuracy REAL,
  version TEXT, note TEXT NOT NULL DEFAULT '');
CREATE TABLE run_devices (
  run TEXT NOT NULL REFERENCES runs ON DELETE CASCADE, device INTEGER NOT NULL,
  name TEXT NOT NULL, id TEXT NOT NULL, description TEXT NOT NULL, kind TEXT NOT NULL,
  speed REAL NOT NULL, bandwidth_mbps REAL, latency_ms REAL, share REAL, gflops REAL,
  PRIMARY KEY (run, device)) WITHOUT ROWID;
CREATE TABLE steps (
  run TEXT NOT NULL REFERENCES runs ON DELETE CASCADE, step INTEGER NOT NULL,
  epoch INTEGER NOT NULL, step_ms REAL NOT NULL, conv_ms REAL NOT NULL, comm_ms REAL NOT NULL,
  comp_ms REAL NOT NULL, loss REAL, train_accuracy REAL, warm_up INTEGER NOT NULL,
  PRIMARY KEY (run, step)) WITHOUT ROWID;
CREATE TABLE device_steps (
  run TEXT NOT NULL REFERENCES runs ON DELETE CASCADE, step INTEGER NOT NULL,
  device INTEGER NOT NULL, layer INTEGER NOT NULL, pass TEXT NOT NULL, kernels INTEGER NOT NULL,
  conv_ms REAL NOT NULL, send_ms REAL NOT NULL, receive_ms REAL NOT NULL, wait_ms REAL NOT NULL,
  bytes_sent INTEGER NOT NULL, bytes_received INTEGER NOT NULL,
  PRIMARY KEY (run, step, device, layer, pass)) WITHOUT ROWID;
)",
    R"(
ALTER TABLE runs ADD COLUMN gradient_difference REAL;
ALTER TABLE steps ADD COLUMN bandwidth_mbps REAL;
UPDATE steps SET bandwidth_mbps =
  (SELECT runs.bandwidth_mbps FROM runs WHERE runs.run = steps.run);
ALTER TABLE device_steps ADD COLUMN algorithm TEXT;
ALTER TABLE device_steps ADD COLUMN pictures INTEGER;
)"};
constexpr auto kVersion = static_cast<std::int64_t>(std::size(kMigrations));

// What no other program's database has by chance, in every version.
constexpr const char* kMarks[] = {
    "SELECT run, started_utc, planned_steps, experiment_json, outcome, amdahl_limit FROM runs",
    "SELECT run, device, name, share, gflops FROM run_devices",
    "SELECT run, step, epoch, comm_ms, comp_ms, warm_up FROM steps",
    "SELECT run, step, device, layer, pass, kernels, wait_ms FROM device_steps"};
// What version 2 added.
constexpr const char* kMarksOfTwo[] = {"SELECT gradient_difference FROM runs",
                                       "SELECT bandwidth_mbps FROM steps",
                                       "SELECT algorithm, pictures FROM device_steps"};

std::int64_t version_of(Database& database) {
  return database.number("PRAGMA user_version");
}

void refuse_others(Database& database, std::int64_t version) {
  constexpr const char* kForeign =
      "is another program's database, not a lab book; choose another file";
  if (version == 0) {
    if (database.number("SELECT count(*) FROM sqlite_schema") != 0) database.refuse(kForeign);
    return;
  }
  if (version < 0) database.refuse(kForeign);
  // A newer lab book keeps the tables that make it one.
  for (const char* mark : kMarks)
    if (!database.understands(mark)) database.refuse(kForeign);
  if (version > kVersion)
    database.refuse("the lab book has version " + std::to_string(version) +
                    "; this program knows versions up to " + std::to_string(kVersion));
  if (version < 2) return;
  for (const char* mark : kMarksOfTwo)
    if (!database.understands(mark)) database.refuse(kForeign);
}

// Its rows are about to be rewritten: then the whole file is looked at first.
void refuse_damaged(Database& database) {
  Statement check(database, "PRAGMA quick_check(1)");
  if (!check.next()) database.fail("read");
  if (const std::string found = check.text(0); found != "ok")
    database.refuse("the lab book is damaged and is left as it is: " + found);
}

}  // namespace

void prepare_lab_book(Database& database, Database::Open open) {
  database.execute("PRAGMA foreign_keys = ON");
  refuse_others(database, version_of(database));
  // Without a look at the version first a lab book that may only be read could not even be read.
  if (version_of(database) == kVersion) return;
  if (version_of(database) == 0 && open == Database::Open::kExisting)
    database.refuse("is an empty file, not a lab book");
  Transaction transaction(database);
  // Another program may have been quicker.
  const std::int64_t version = version_of(database);
  refuse_others(database, version);
  if (version > 0) refuse_damaged(database);
  for (std::int64_t step = version; step < kVersion; ++step) database.execute(kMigrations[step]);
  database.execute("PRAGMA user_version = " + std::to_string(kVersion));
  transaction.commit();
}

}  // namespace convoy
