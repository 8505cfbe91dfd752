#include "engine/results/lab_book.h"

#include "engine/results/lab_book_tables.h"
#include "engine/results/run_rows.h"

namespace convoy {
namespace {

constexpr std::size_t kBatch = 50;  // steps a transaction: some loss when killed, little waiting

}  // namespace

struct LabBook::State {
  explicit State(const std::filesystem::path& path)
      : database(path, Database::Open::kOrCreate, ErrorKind::kRun) {
    prepare_lab_book(database, Database::Open::kOrCreate);
  }

  Database database;
  RunStarted started;
  RunCalibrated calibrated;
  std::vector<RunStep> waiting;
};

LabBook::LabBook(const std::filesystem::path& path) : state_(std::make_unique<State>(path)) {}

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
  state_->calibrated.pictures = shares.pictures;
}

void LabBook::write_steps() {
  const std::string& run = state_->started.run;
  Statement step_row(state_->database,
                     "INSERT INTO steps (run, step, epoch, step_ms, conv_ms, comm_ms, comp_ms, "
                     "loss, train_accuracy, warm_up, bandwidth_mbps) "
                     "VALUES (?,?,?,?,?,?,?,?,?,?,?)");
  Statement device_row(state_->database,
                       "INSERT INTO device_steps (run, step, device, layer, pass, kernels, "
                       "conv_ms, send_ms, receive_ms, wait_ms, bytes_sent, bytes_received, "
                       "algorithm, pictures) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?)");
  for (const RunStep& step : state_->waiting) {
    step_row.run(run, step.step, step.epoch, step.step_ms, step.conv_ms, step.comm_ms, step.comp_ms,
                 step.loss, step.train_accuracy, step.warm_up, step.bandwidth_mbps);
    for (const DeviceRow& row : device_rows(step, state_->started, state_->calibrated))
      device_row.run(run, step.step, row.device, row.layer + 1, pass_name(row.pass), row.kernels,
                     row.work.conv_ms, row.work.send_ms, row.work.receive_ms, row.work.wait_ms,
                     row.work.bytes_sent, row.work.bytes_received, row.algorithm, row.pictures);
  }
  state_->waiting.clear();
}

void LabBook::on_finished(const RunSummary& s) {
  Transaction transaction(state_->database);
  write_steps();
  // The bandwidth may have been moved since the start.
  Statement(state_->database,
            "UPDATE runs SET bandwidth_mbps=?, outcome=?, failure=?, steps=?, step_ms=?, "
            "step_ms_p10=?, step_ms_p90=?, conv_ms=?, comm_ms=?, comp_ms=?, conv_share=?, "
            "baseline=?, baseline_step_ms=?, speedup=?, efficiency=?, amdahl_limit=?, "
            "predicted_step_ms=?, images_per_s=?, loss=?, test_accuracy=?, version=?, "
            "gradient_difference=? WHERE run=?")
      .run(s.bandwidth_mbps, run_outcome_name(s.outcome), s.failure, s.steps, s.step_ms,
           s.step_ms_p10, s.step_ms_p90, s.conv_ms, s.comm_ms, s.comp_ms, s.conv_share, s.baseline,
           s.baseline_step_ms, s.speedup, s.efficiency, s.amdahl_limit, s.predicted_step_ms,
           s.images_per_s, s.loss, s.test_accuracy, s.version, s.gradient_difference, s.run);
  transaction.commit();
}

}  // namespace convoy
