#include "engine/results/run_folder.h"

#include <system_error>

#include "engine/base/atomic_file.h"
#include "engine/results/growing_file.h"
#include "engine/results/run_rows.h"
#include "engine/results/summary_csv.h"
#include "engine/results/trace_file.h"

namespace convoy {
namespace {

std::string step_line(const RunStep& step) {
  CsvLines csv;
  add_step(csv, step);
  return csv.text();
}

std::string device_lines(const RunStep& step, const RunStarted& started,
                         const RunCalibrated& calibrated) {
  CsvLines csv;
  for (const DeviceRow& row : device_rows(step, started, calibrated))
    add_device_row(csv, row, started.devices[row.device].name);
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
  make_folder(folder, "the run's files");
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
  write_file_atomically(files_->folder / "summary.csv", summary_csv({summary}));
}

}  // namespace convoy
