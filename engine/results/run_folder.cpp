#include "engine/results/run_folder.h"

#include <array>
#include <system_error>

#include "engine/base/atomic_file.h"
#include "engine/results/csv.h"
#include "engine/results/growing_file.h"
#include "engine/results/trace_file.h"

namespace convoy {
namespace {

constexpr const char* kStepColumns =
    "step,epoch,step_ms,conv_ms,comm_ms,comp_ms,loss,train_accuracy,warm_up\r\n";
constexpr const char* kDeviceColumns =
    "step,device,layer,pass,kernels,conv_ms,send_ms,receive_ms,wait_ms,bytes_sent,"
    "bytes_received\r\n";
constexpr const char* kSummaryColumns =
    "run,name,dataset,network,batch_size,devices,bandwidth_mbps,split,steps,step_ms,step_ms_p10,"
    "step_ms_p90,conv_ms,comm_ms,comp_ms,conv_share,baseline,baseline_step_ms,speedup,efficiency,"
    "amdahl_limit,predicted_step_ms,images_per_s,loss,test_accuracy,version,outcome\r\n";

// What one device did for one layer in one pass.
struct Work {
  bool any = false;
  std::array<double, 4> ms{};            // by Activity
  std::array<std::uint64_t, 4> bytes{};  // by Activity
};

std::string step_line(const RunStep& step) {
  CsvLines csv;
  csv.add_all(step.step, step.epoch, step.step_ms, step.conv_ms, step.comm_ms, step.comp_ms,
              step.loss, step.train_accuracy, step.warm_up ? 1 : 0);
  csv.end_line();
  return csv.text();
}

std::string device_lines(const RunStep& step, const RunStarted& started,
                         const RunCalibrated& calibrated) {
  const std::size_t devices = started.devices.size(), layers = started.layers.size();
  std::vector<Work> table(devices * layers * 3);
  const auto at = [&](std::size_t device, std::size_t layer, Pass pass) -> Work& {
    return table[(device * layers + layer) * 3 + static_cast<std::size_t>(pass)];
  };
  for (const Slice& slice : step.slices) {
    Work& work = at(static_cast<std::size_t>(slice.device), static_cast<std::size_t>(slice.layer),
                    slice.pass);
    const auto activity = static_cast<std::size_t>(slice.activity);
    work.any = true;
    work.ms[activity] += milliseconds(slice.end - slice.begin);
    work.bytes[activity] += slice.bytes;
  }
  CsvLines csv;
  constexpr auto kReceive = static_cast<std::size_t>(Activity::kReceive);
  constexpr auto kCompute = static_cast<std::size_t>(Activity::kCompute);
  constexpr auto kSend = static_cast<std::size_t>(Activity::kSend);
  constexpr auto kWait = static_cast<std::size_t>(Activity::kWait);
  for (std::size_t device = 0; device < devices; ++device) {
    for (std::size_t layer = 0; layer < layers; ++layer) {
      for (const Pass pass : kAllPasses) {
        const Work& work = at(device, layer, pass);
        if (!work.any) continue;  // nobody needs the first layer's backward-data
        csv.add_all(step.step, started.devices[device].name, layer + 1, pass_name(pass),
                    calibrated.kernels[layer][device], work.ms[kCompute], work.ms[kSend],
                    work.ms[kReceive], work.ms[kWait], work.bytes[kSend], work.bytes[kReceive]);
        csv.end_line();
      }
    }
  }
  return csv.text();
}

const char* outcome_name(RunOutcome outcome) {
  switch (outcome) {
    case RunOutcome::kDone:
      return "done";
    case RunOutcome::kStopped:
      return "stopped";
    case RunOutcome::kFailed:
      break;
  }
  return "failed";
}

std::string summary_line(const RunSummary& s) {
  CsvLines csv;
  csv.add_all(s.run, s.name, s.dataset, s.network, s.batch_size, s.devices, s.bandwidth_mbps,
              s.split, s.steps, s.step_ms, s.step_ms_p10, s.step_ms_p90, s.conv_ms, s.comm_ms,
              s.comp_ms, s.conv_share, s.baseline, s.baseline_step_ms, s.speedup, s.efficiency,
              s.amdahl_limit, s.predicted_step_ms, s.images_per_s, s.loss, s.test_accuracy,
              s.version, outcome_name(s.outcome));
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
  for (const char* name : {"summary.csv", "weights.safetensors"})
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

void RunFolder::on_step(const RunStep& step) {
  Files& files = *files_;
  files.steps->append(step_line(step));
  files.devices->append(device_lines(step, files.started, files.calibrated));
  files.trace->add(step);
}

void RunFolder::on_finished(const RunSummary& summary) {
  write_file_atomically(files_->folder / "summary.csv", kSummaryColumns + summary_line(summary));
}

}  // namespace convoy
