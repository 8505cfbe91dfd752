// What a run tells while it goes on. The command line, the CSV and trace writers, the lab book and
// the workbench are listeners of these same events: nobody measures twice.
//
// All calls come from the thread that runs the experiment, in this order: on_started,
// on_calibrated, on_baseline (unless the experiment has none), on_step..., on_finished; between
// steps on_quarantine, on_readmission and on_shares; on_phase and on_message at any time. An event
// is only valid during the call: copy what you keep.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/conv/timeline.h"
#include "engine/device/device.h"
#include "engine/link/link.h"

namespace convoy {

enum class RunPhase { kPreparing, kCalibrating, kBaseline, kTraining, kTesting };
const char* run_phase_name(RunPhase phase);  // "preparing", ...

enum class Severity { kInfo, kWarning, kError };

struct RunDevice {
  std::string name;  // unique within the run: the experiment's, else the id
  DeviceInfo info;
  double speed = 1.0;
  std::optional<LinkSettings> link;  // what is really used; none for the master's own device
};

struct RunStarted {
  std::string run;      // identifies the run: "20261121-131702-4f2a"
  std::string name;     // the experiment's
  std::string dataset;  // "synthetic", "cifar10", ...
  std::string network;  // "500:1500"
  int batch_size = 0;
  int steps = 0;  // planned
  int steps_per_epoch = 0;
  std::string split;  // "kernels"
  std::vector<RunDevice> devices;
  std::vector<ConvProblem> layers;
  std::optional<double> bandwidth_mbps;  // of the default link
  std::string experiment_json;           // resolved, as experiment.json will be
};

// One device on one layer: `kernels` of them took `ms` (median, by pass in the order of kAllPasses;
// 0 for a pass that the layer does not need), and `gflops` is the rate over all passes.
struct LayerCalibration {
  int kernels = 0;
  std::array<double, 3> ms{};
  double gflops = 0.0;
  std::array<std::string, 3> algorithm;  // empty for a pass that the layer does not need
  std::array<ChosenBy, 3> chosen_by{};
  std::size_t scratch_bytes = 0;
};

struct RunCalibrated {
  std::vector<std::vector<LayerCalibration>> layers;  // [layer][device]
  // [layer][device]: a device has these kernels on these pictures of the batch. One of them is
  // divided and sums to the whole, the other is whole for all that take part.
  std::vector<std::vector<int>> kernels, pictures;
  std::vector<double> share;   // [device] of all convolution work, sums to 1
  std::vector<double> gflops;  // [device] over all layers and passes
  std::optional<double> predicted_step_ms;
};

struct RunBaseline {
  int device = 0;                                      // index into devices
  std::string name;                                    // its name
  double step_ms = 0.0, conv_ms = 0.0, comp_ms = 0.0;  // medians
  double amdahl_limit = 0.0;
};

// A step's wall time is conv_ms + comm_ms + comp_ms: the slowest device's compute in the
// convolutional layers, what those layers took beyond it, and all the rest.
struct RunStep {
  int step = 0;   // from 1
  int epoch = 0;  // from 1
  TimePoint begin, end;
  double step_ms = 0.0, conv_ms = 0.0, comm_ms = 0.0, comp_ms = 0.0;
  double loss = 0.0;
  double train_accuracy = 0.0;           // of this batch, 0..1
  bool warm_up = false;                  // left out of the medians
  std::optional<double> bandwidth_mbps;  // of the default link when the step began
  std::vector<Slice> slices;             // every device's work in this step
  struct MasterWork {
    const char* name;
    TimePoint begin, end;
  };
  std::vector<MasterWork> master;  // what the master did outside the convolutional layers
};

// A device failed, or did not answer in time, and takes part no more until it is let in again.
struct RunQuarantine {
  int step = 0;    // that is repeated without it, from 1; 0 before the first, steps + 1 in the test
  int device = 0;  // index into devices
  std::string name;      // its name
  std::string during;    // "layer 2, forward"
  std::string reason;    // what it said, or that it did not answer
  bool hanging = false;  // it has not come back from the call in which it was lost
};

// A person has let a device in again; it was measured anew, and its shares follow in on_shares.
struct RunReadmission {
  int step = 0;      // the first with it, from 1
  int device = 0;    // index into devices
  std::string name;  // its name
};

enum class ShareChange { kQuarantine, kReadmission, kRebalance };
const char* share_change_name(ShareChange change);  // "quarantine", "readmission", "rebalance"

// From `step` on (it may be one that is repeated) the devices have these shares.
struct RunShares {
  int step = 0;
  ShareChange change = ShareChange::kRebalance;
  std::string reason;                               // the sentence that on_message tells too
  std::vector<std::vector<int>> kernels, pictures;  // as in RunCalibrated
  std::vector<double> share;                        // [device] of all convolution work, sums to 1
};

enum class RunOutcome { kDone, kStopped, kFailed };
const char* run_outcome_name(RunOutcome outcome);  // "done", "stopped", "failed"
std::optional<RunOutcome> run_outcome_from_name(std::string_view name);

// One line of summary.csv. Values that were not measured are absent, not zero.
struct RunSummary {
  std::string run, name, dataset, network;
  int batch_size = 0;
  int devices = 0;
  std::optional<double> bandwidth_mbps;
  std::string split;
  int steps = 0;  // really done
  std::optional<double> step_ms, step_ms_p10, step_ms_p90, conv_ms, comm_ms, comp_ms, conv_share;
  std::string baseline;  // the baseline device's name; empty without one
  std::optional<double> baseline_step_ms, speedup, efficiency, amdahl_limit, predicted_step_ms;
  std::optional<double> images_per_s, loss, test_accuracy;
  // The largest relative difference of the first step's gradients from those of one device.
  std::optional<double> gradient_difference;
  std::string version;
  RunOutcome outcome = RunOutcome::kDone;
  std::string failure;  // the message when outcome is kFailed
};

class RunListener {
 public:
  virtual ~RunListener() = default;
  virtual void on_started(const RunStarted&) {}
  // `done` of `total` pieces of this phase; total 0 when unknown.
  virtual void on_phase(RunPhase, const std::string& what, int done, int total) {
    (void)what, (void)done, (void)total;
  }
  virtual void on_calibrated(const RunCalibrated&) {}
  virtual void on_baseline(const RunBaseline&) {}
  virtual void on_step(const RunStep&) {}
  virtual void on_quarantine(const RunQuarantine&) {}
  virtual void on_readmission(const RunReadmission&) {}
  virtual void on_shares(const RunShares&) {}
  virtual void on_message(Severity, const std::string& text) { (void)text; }
  virtual void on_finished(const RunSummary&) {}
};

}  // namespace convoy
