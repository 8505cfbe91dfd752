#include "engine/results/run_folder.h"

#include <system_error>

#include "engine/base/atomic_file.h"
#include "engine/results/csv.h"
#include "engine/results/device_work.h"
#include "engine/results/growing_file.h"
#include "engine/results/summary_csv.h"
#include "engine/results/trace_file.h"

namespace convoy {
namespace {

constexpr const char* kStepColumns =
    "step,epoch,step_ms,conv_ms,comm_ms,comp_ms,loss,train_accuracy,warm_up,bandwidth_mbps\r\n";
constexpr const char* kDeviceColumns =
    "step,device,layer,pass,kernels,conv_ms,send_ms,receive_ms,wait_ms,bytes_sent,"
    "bytes_received,algorithm,pictures\r\n";

std::string step_line(const RunStep& step) {
  CsvLines csv;
  csv.add_all(step.step, step.epoch, step.step_ms, step.conv_ms, step.comm_ms, step.comp_ms,
              step.loss, step.train_accuracy, step.warm_up ? 1 : 0, step.bandwidth_mbps);
  csv.end_line();
  return csv.text();
}

// What the device was calibrated with, which is what it computes with.
std::string algorithm_of(const WorkRow& row, const RunCalibrated& calibrated) {
  if (row.layer >= calibrated.layers.size()) return {};
  return calibrated.layers[row.layer].at(row.device).algorithm[static_cast<std::size_t>(row.pass)];
}

std::string device_lines(const RunStep& step, const RunStarted& started,
                         const RunCalibrated& calibrated) {
  CsvLines csv;
  for (const WorkRow& row : work_rows(step.slices, started.devices.size(), started.layers.size())) {
    const DeviceWork& work = row.work;
    csv.add_all(step.step, started.devices[row.device].name, row.layer + 1, pass_name(row.pass),
                calibrated.kernels.at(row.layer).at(row.device), work.conv_ms, work.send_ms,
                work.receive_ms, work.wait_ms, work.bytes_sent, work.bytes_received,
                algorithm_of(row, calibrated), calibrated.pictures.at(row.layer).at(row.device));
    csv.end_line();
  }
  return csv.text();
}

std::string summary_lines(const RunSummary& summary) {
  CsvLines csv;
  for (const std::string_view column : summary_columns()) csv.add(column);
  csv.end_line();
  add_summary(csv, summary);
  csv.end_line();
  return csv.text();
}

}  // namespace

struct RunFolder::Files {
  std::filesystem::path folder;
  RunStarted started;
  RunCalibrated calibrated;
  std::unique_ptr<GrowingFile> steps, devices;
  std::unique_ptr<TraceFile> trace;
};

RunFolder::RunFolder(std::filesystem::path folder) : files_(std::make_unique<Files>()) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error || !std::filesystem::is_directory(folder, error))
    throw Error(ErrorKind::kRun, folder.string(),
                "cannot create the folder for the run's files" +
                    (error ? ": " + error.message() : ": a file of that name is in the way"));
  files_->folder = std::move(folder);
}

RunFolder::~RunFolder() = default;

const std::filesystem::path& RunFolder::folder() const {
  return files_->folder;
}

void RunFolder::on_started(const RunStarted& started) {
  Files& files = *files_;
  files.started = started;
  // What an earlier run left must not pass for this one's.
  std::error_code ignored;
  for (const char* name : {"summary.csv", "weights.safetensors", "calibration.json"})
    std::filesystem::remove(files.folder / name, ignored);
  write_file_atomically(files.folder / "experiment.json", started.experiment_json);
  files.steps = std::make_unique<GrowingFile>(files.folder / "steps.csv", kStepColumns);
  files.devices = std::make_unique<GrowingFile>(files.folder / "devices.csv", kDeviceColumns);
  files.trace =
      std::make_unique<TraceFile>(files.folder / "trace.json", started, SteadyClock::now());
}

void RunFolder::on_calibrated(const RunCalibrated& calibrated) {
  files_->calibrated = calibrated;
}

void RunFolder::on_shares(const RunShares& shares) {
  files_->calibrated.kernels = shares.kernels;
  files_->calibrated.pictures = shares.pictures;
}

void RunFolder::on_step(const RunStep& step) {
  Files& files = *files_;
  files.steps->append(step_line(step));
  files.devices->append(device_lines(step, files.started, files.calibrated));
  files.trace->add(step);
}

void RunFolder::on_finished(const RunSummary& summary) {
  write_file_atomically(files_->folder / "summary.csv", summary_lines(summary));
}

}  // namespace convoy
