#include "engine/results/lab_book.h"

#include "engine/base/error.h"
#include "engine/results/device_work.h"
#include "engine/results/sqlite.h"

namespace convoy {
namespace {

constexpr int kVersion = 1;
constexpr std::size_t kBatch = 50;  // steps a transaction: some loss when killed, little waiting

constexpr const char* kSchema = R"(
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
)";

void prepare(Database& database) {
  database.execute("PRAGMA foreign_keys = ON");
  Transaction transaction(database);
  const std::int64_t version = database.number("PRAGMA user_version");
  if (version > kVersion)
    throw Error(ErrorKind::kRun, database.path(),
                "the lab book has version " + std::to_string(version) +
                    "; this program knows versions up to " + std::to_string(kVersion));
  if (version == 0) {
    if (database.number("SELECT count(*) FROM sqlite_schema") != 0)
      throw Error(ErrorKind::kRun, database.path(),
                  "is another program's database, not a lab book; choose another file");
    database.execute(kSchema);
    database.execute(("PRAGMA user_version = " + std::to_string(kVersion)).c_str());
  }
  transaction.commit();
}

}  // namespace

struct LabBook::State {
  explicit State(const std::filesystem::path& path) : database(path) {}

  Database database;
  RunStarted started;
  RunCalibrated calibrated;
  std::vector<RunStep> waiting;
};

LabBook::LabBook(const std::filesystem::path& path) : state_(std::make_unique<State>(path)) {
  prepare(state_->database);
}

LabBook::~LabBook() = default;

void LabBook::on_started(const RunStarted& started) {
  state_->started = started;
  Database& database = state_->database;
  Transaction transaction(database);
  Statement(database,
            "INSERT INTO runs (run, name, dataset, network, batch_size, devices, bandwidth_mbps, "
            "split, planned_steps, experiment_json) VALUES (?,?,?,?,?,?,?,?,?,?)")
      .run(started.run, started.name, started.dataset, started.network, started.batch_size,
           started.devices.size(), started.bandwidth_mbps, started.split, started.steps,
           started.experiment_json);
  Statement device(database,
                   "INSERT INTO run_devices (run, device, name, id, description, kind, speed, "
                   "bandwidth_mbps, latency_ms) VALUES (?,?,?,?,?,?,?,?,?)");
  for (std::size_t i = 0; i < started.devices.size(); ++i) {
    const RunDevice& d = started.devices[i];
    device.run(started.run, i, d.name, d.info.id, d.info.name, device_kind_name(d.info.kind),
               d.speed, d.link ? d.link->bandwidth_mbps : std::nullopt,
               d.link ? std::optional(d.link->latency_ms) : std::nullopt);
  }
  transaction.commit();
}

void LabBook::on_calibrated(const RunCalibrated& calibrated) {
  state_->calibrated = calibrated;
  Database& database = state_->database;
  Transaction transaction(database);
  Statement update(database,
                   "UPDATE run_devices SET share = ?, gflops = ? WHERE run = ? AND device = ?");
  for (std::size_t i = 0; i < state_->started.devices.size(); ++i)
    update.run(calibrated.share.at(i), calibrated.gflops.at(i), state_->started.run, i);
  transaction.commit();
}

void LabBook::on_step(const RunStep& step) {
  state_->waiting.push_back(step);
  if (state_->waiting.size() < kBatch) return;
  Transaction transaction(state_->database);
  write_steps();
  transaction.commit();
}

void LabBook::on_shares(const RunShares& shares) {
  Transaction transaction(state_->database);
  write_steps();  // they had the old shares
  transaction.commit();
  state_->calibrated.kernels = shares.kernels;
}

void LabBook::write_steps() {
  const std::string& run = state_->started.run;
  Statement step_row(state_->database, "INSERT INTO steps VALUES (?,?,?,?,?,?,?,?,?,?)");
  Statement device_row(state_->database,
                       "INSERT INTO device_steps VALUES (?,?,?,?,?,?,?,?,?,?,?,?)");
  const std::size_t devices = state_->started.devices.size();
  const std::size_t layers = state_->started.layers.size();
  for (const RunStep& step : state_->waiting) {
    step_row.run(run, step.step, step.epoch, step.step_ms, step.conv_ms, step.comm_ms, step.comp_ms,
                 step.loss, step.train_accuracy, step.warm_up);
    for (const WorkRow& row : work_rows(step.slices, devices, layers))
      device_row.run(run, step.step, row.device, row.layer + 1, pass_name(row.pass),
                     state_->calibrated.kernels.at(row.layer).at(row.device), row.work.conv_ms,
                     row.work.send_ms, row.work.receive_ms, row.work.wait_ms, row.work.bytes_sent,
                     row.work.bytes_received);
  }
  state_->waiting.clear();
}

void LabBook::on_finished(const RunSummary& s) {
  Transaction transaction(state_->database);
  write_steps();
  Statement(state_->database,
            "UPDATE runs SET outcome=?, failure=?, steps=?, step_ms=?, step_ms_p10=?, "
            "step_ms_p90=?, conv_ms=?, comm_ms=?, comp_ms=?, conv_share=?, baseline=?, "
            "baseline_step_ms=?, speedup=?, efficiency=?, amdahl_limit=?, predicted_step_ms=?, "
            "images_per_s=?, loss=?, test_accuracy=?, version=? WHERE run=?")
      .run(run_outcome_name(s.outcome), s.failure, s.steps, s.step_ms, s.step_ms_p10, s.step_ms_p90,
           s.conv_ms, s.comm_ms, s.comp_ms, s.conv_share, s.baseline, s.baseline_step_ms, s.speedup,
           s.efficiency, s.amdahl_limit, s.predicted_step_ms, s.images_per_s, s.loss,
           s.test_accuracy, s.version, s.run);
  transaction.commit();
}

}  // namespace convoy
