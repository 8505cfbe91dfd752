#include "engine/results/lab_book_reader.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <limits>

namespace convoy {
namespace {

// SQLite sorts passes by name, the files by their order in a step.
constexpr const char* kDeviceRows =
    "SELECT step, device, layer, pass, kernels, conv_ms, send_ms, receive_ms, wait_ms, bytes_sent, "
    "bytes_received, algorithm, pictures FROM device_steps WHERE run = ? "
    "ORDER BY step, device, layer, CASE pass WHEN 'forward' THEN 0 WHEN 'backward-data' THEN 1 "
    "ELSE 2 END";

Pass pass_in(Database& database, const std::string& name) {
  const auto* const found = std::find_if(std::begin(kAllPasses), std::end(kAllPasses),
                                         [&](Pass pass) { return name == pass_name(pass); });
  if (found == std::end(kAllPasses))
    database.refuse("the lab book has a pass \"" + name +
                    "\"; there are forward, backward-data and backward-weights");
  return *found;
}

}  // namespace

LabBookReader::LabBookReader(const std::filesystem::path& path)
    : database_(path, Database::Open::kExisting, ErrorKind::kData) {
  prepare_lab_book(database_, Database::Open::kExisting);
}

std::vector<std::string> LabBookReader::run_ids() {
  std::vector<std::string> ids;
  Statement query(database_, "SELECT run FROM runs ORDER BY started_utc, rowid");
  while (query.next()) ids.push_back(query.text(0));
  return ids;
}

std::optional<RecordedRun> LabBookReader::run(const std::string& id) {
  Statement query(
      database_,
      "SELECT name, dataset, network, batch_size, devices, bandwidth_mbps, split, steps, step_ms, "
      "step_ms_p10, step_ms_p90, conv_ms, comm_ms, comp_ms, conv_share, baseline, "
      "baseline_step_ms, speedup, efficiency, amdahl_limit, predicted_step_ms, images_per_s, loss, "
      "test_accuracy, gradient_difference, version, outcome, failure, started_utc, "
      "experiment_json FROM runs WHERE run = ?");
  query.bind_all(id);
  if (!query.next()) return std::nullopt;
  RecordedRun recorded;
  int column = 0;
  const auto text = [&] { return query.text(column++); };
  const auto integer = [&] { return static_cast<int>(query.integer(column++)); };
  const auto real = [&] { return query.real(column++); };
  RunSummary& s = recorded.summary;
  s.run = id;
  s.name = text();
  s.dataset = text();
  s.network = text();
  s.batch_size = integer();
  s.devices = integer();
  s.bandwidth_mbps = real();
  s.split = text();
  s.steps = integer();
  for (auto* value : {&s.step_ms, &s.step_ms_p10, &s.step_ms_p90, &s.conv_ms, &s.comm_ms,
                      &s.comp_ms, &s.conv_share})
    *value = real();
  s.baseline = text();
  for (auto* value :
       {&s.baseline_step_ms, &s.speedup, &s.efficiency, &s.amdahl_limit, &s.predicted_step_ms,
        &s.images_per_s, &s.loss, &s.test_accuracy, &s.gradient_difference})
    *value = real();
  s.version = text();
  if (!query.is_null(column)) {
    recorded.outcome = run_outcome_from_name(query.text(column));
    if (!recorded.outcome)
      database_.refuse("the lab book has \"" + query.text(column) + "\" as the outcome of run " +
                       id + "; there are done, stopped and failed");
    s.outcome = *recorded.outcome;
  }
  ++column;
  s.failure = text();
  recorded.started_utc = text();
  recorded.experiment_json = text();

  Statement devices(database_, "SELECT name FROM run_devices WHERE run = ? ORDER BY device");
  devices.bind_all(id);
  while (devices.next()) recorded.device_names.push_back(devices.text(0));
  return recorded;
}

void LabBookReader::for_each_step(const std::string& id,
                                  const std::function<void(const RunStep&)>& visit) {
  Statement query(database_,
                  "SELECT step, epoch, step_ms, conv_ms, comm_ms, comp_ms, loss, train_accuracy, "
                  "warm_up, bandwidth_mbps FROM steps WHERE run = ? ORDER BY step");
  query.bind_all(id);
  // Version 1 made NULL of what is not a number.
  const auto real = [&](int column) {
    return query.real(column).value_or(std::numeric_limits<double>::quiet_NaN());
  };
  while (query.next()) {
    RunStep step;
    step.step = static_cast<int>(query.integer(0));
    step.epoch = static_cast<int>(query.integer(1));
    step.step_ms = real(2);
    step.conv_ms = real(3);
    step.comm_ms = real(4);
    step.comp_ms = real(5);
    step.loss = real(6);
    step.train_accuracy = real(7);
    step.warm_up = query.integer(8) != 0;
    step.bandwidth_mbps = query.real(9);
    visit(step);
  }
}

void LabBookReader::for_each_device_row(const std::string& id,
                                        const std::function<void(const DeviceRow&)>& visit) {
  Statement query(database_, kDeviceRows);
  query.bind_all(id);
  const auto ms = [&](int column) { return query.real(column).value_or(0.0); };
  while (query.next()) {
    DeviceRow row;
    row.step = static_cast<int>(query.integer(0));
    row.device = static_cast<std::size_t>(query.integer(1));
    row.layer = static_cast<std::size_t>(query.integer(2) - 1);
    row.pass = pass_in(database_, query.text(3));
    row.kernels = static_cast<int>(query.integer(4));
    row.work.conv_ms = ms(5);
    row.work.send_ms = ms(6);
    row.work.receive_ms = ms(7);
    row.work.wait_ms = ms(8);
    row.work.bytes_sent = static_cast<std::uint64_t>(query.integer(9));
    row.work.bytes_received = static_cast<std::uint64_t>(query.integer(10));
    row.algorithm = query.text(11);
    if (!query.is_null(12)) row.pictures = static_cast<int>(query.integer(12));
    visit(row);
  }
}

}  // namespace convoy
