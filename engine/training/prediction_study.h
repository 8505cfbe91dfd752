// What experiments will take, without running them: step times and traffic, curves over bandwidth,
// devices and batch size, the bandwidth from which a distribution pays, and a verdict in words.
//
//   PredictionStudy study(read_calibration("run/calibration.json"));   // or:
//   study.add(calibrate_only(experiment, control, {}));                // measures the devices now
//   const Prediction now = study.predict(experiment);
//   for (const CurvePoint& point : study.over_bandwidth(experiment, curve_bandwidths())) ...
//   const std::string words = study.verdict(experiment, study.break_even(experiment));
//
// Pure arithmetic but for calibrate_only(): a prediction takes less than a millisecond, so that it
// may follow a slider. Const functions may be called from several threads.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "engine/cluster/prediction.h"
#include "engine/training/calibration_record.h"
#include "engine/training/experiment.h"
#include "engine/training/run_control.h"
#include "engine/training/variations.h"

namespace convoy {

class RunListener;

struct Prediction {
  StepPrediction step;
  std::vector<std::string> devices;        // names, in the experiment's order
  std::vector<SplitMode> split;            // [layer], what "auto" came to
  std::vector<std::vector<int>> counts;    // [layer][device], kernels, or pictures by batch
  std::string baseline;                    // the name of the baseline's device; empty without one
  std::optional<double> baseline_step_ms;  // of that device alone
  std::optional<double> speedup;           // baseline_step_ms / step.step_ms
  double comm_share() const { return step.comm_ms / step.step_ms; }
  // Whether any layer is worked on beyond a link.
  bool distributed() const;
};

struct CurvePoint {
  double x = 0.0;  // Mb/s, number of devices, or batch size
  Prediction prediction;
};

// From which bandwidth of the default link on a distribution always is as fast as the baseline.
// With split kAuto, which leaves work on the master where links take longer than they save: from
// where devices together are faster so that it shows, at 1.01x.
struct BreakEven {
  // kUnasked: nothing depends on the default link, for every device has a link of its own.
  enum class Kind { kAlways, kNever, kAt, kUnasked };
  Kind kind = Kind::kNever;
  double bandwidth_mbps = 0.0;  // with kAt
};

class PredictionStudy {
 public:
  PredictionStudy() = default;
  explicit PredictionStudy(std::vector<CalibrationRecord> records);
  // A record of the same problem as an earlier one takes its place.
  void add(CalibrationRecord record);
  const std::vector<CalibrationRecord>& records() const { return records_; }

  // The record of the experiment's network, pictures and batch size; null when there is none.
  const CalibrationRecord* record_of(const Experiment& experiment) const;

  // Devices are known by their id (and scratch limit); names, speeds and links are the
  // experiment's. Throws Error(kExperiment) that says what the calibrations do not have: the
  // network, the batch size or the device.
  Prediction predict(const Experiment& experiment) const;

  // The default link at each bandwidth; devices with a link of their own keep it.
  std::vector<CurvePoint> over_bandwidth(const Experiment& experiment,
                                         const std::vector<double>& mbps) const;
  // The first 1, 2, ... devices of the experiment.
  std::vector<CurvePoint> over_devices(const Experiment& experiment) const;
  // The batch sizes that this experiment is calibrated for, rising.
  std::vector<int> batch_sizes(const Experiment& experiment) const;
  std::vector<CurvePoint> over_batch(const Experiment& experiment) const;

  // An experiment without a baseline is compared with the fastest device.
  BreakEven break_even(const Experiment& experiment) const;
  // "Not worth it below 300 Mb/s: at 100 Mb/s communication takes 71 % of the step, which is 1.4
  // times as long as on A alone." One or two sentences. `even` is that of the experiment.
  std::string verdict(const Experiment& experiment, const BreakEven& even) const;

 private:
  const CalibrationRecord& needed_record(const Experiment& experiment) const;

  std::vector<CalibrationRecord> records_;
};

// From which bandwidth on all pay, by what pays(mbps) says of each; nothing is unlimited. Looks
// from there down to 10 kb/s, ten bandwidths a decade, until one does not.
BreakEven break_even_of(const std::function<bool(std::optional<double> mbps)>& pays);
// The default link at this bandwidth; nothing is unlimited.
Experiment with_bandwidth(Experiment experiment, std::optional<double> mbps);
// "300 Mb/s", "never: ...", "always: ...", "none: ..."
std::string break_even_text(const BreakEven& break_even);
// 1, 2, 5, 10, ... 100 000 Mb/s: for curves on a logarithmic axis.
std::vector<double> curve_bandwidths();

// Opens the experiment's devices, times them on its layers and one of them on whole steps, as a
// run does before its first step; trains nothing else and writes nothing. Listeners hear phases and
// messages. Throws what run_experiment() throws, and Interrupted.
CalibrationRecord calibrate_only(const Experiment& experiment, RunControl& control,
                                 const std::vector<RunListener*>& listeners);

}  // namespace convoy
