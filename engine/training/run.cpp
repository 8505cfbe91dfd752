#include "engine/training/run.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <new>

#include "engine/base/atomic_file.h"
#include "engine/base/number_text.h"
#include "engine/base/pace_clock.h"
#include "engine/cluster/in_process_worker.h"
#include "engine/cluster/prediction.h"
#include "engine/cluster/quarantine.h"
#include "engine/cluster/schedule.h"
#include "engine/network/weight_file.h"
#include "engine/results/run_folder.h"
#include "engine/training/baseline.h"
#include "engine/training/calibration_record.h"
#include "engine/training/gradient_difference.h"
#include "engine/training/run_description.h"
#include "engine/training/run_setup.h"
#include "engine/training/run_statistics.h"
#include "engine/training/trainer.h"

namespace convoy {
namespace {

// One run from its set-up to its summary; lives for one call of run_experiment().
class Run {
 public:
  Run(RunControl& control, RunListeners listeners, const RunOptions& options)
      : control_(control), listeners_(std::move(listeners)), options_(options) {}
  ~Run() { control_.attach({}); }
  Run(const Run&) = delete;
  Run& operator=(const Run&) = delete;

  RunSummary operator()(const Experiment& experiment) {
    setup_ = prepare_run(experiment, control_, listeners_);
    link_in_use_ = setup_.experiment.link;
    apply_hooks();
    summary_ = describe_summary(setup_.experiment,
                                options_.run_id.empty() ? new_run_id() : options_.run_id);
    try {
      tell_started();
      calibrate();
      measure_baseline_step();
      train();
      test();
    } catch (const Interrupted&) {
      summary_.outcome = RunOutcome::kStopped;
    } catch (const std::bad_alloc&) {
      fail("there is not enough memory for this network and batch size");
      throw Error(ErrorKind::kRun, "memory", summary_.failure);
    } catch (const std::exception& error) {
      fail(error.what());
      throw;
    }
    finish();
    return summary_;
  }

 private:
  void apply_hooks();
  void tell_started();
  void calibrate();
  void measure_baseline_step();
  void train();
  void test();
  double fetch_seconds() const;
  void save_weights();
  void finish();
  void fail(const std::string& what) noexcept;
  void note_failure(const std::string& what);
  void wait_while_paused() const;
  void follow_link(int step);
  void readmit_devices(int step);
  std::vector<LinkSettings> links() const;
  double relative_speed() const;
  double predicted_step_ms(const BaselineTimes& baseline) const;

  RunControl& control_;
  RunListeners listeners_;
  const RunOptions& options_;
  const StopToken* stop_ = &control_.stop_token();

  // In this order: what is declared later is destroyed first and uses what comes before.
  RunSetup setup_;
  RunSummary summary_;
  std::unique_ptr<Cluster> cluster_;
  ClusterPlan plan_;
  std::optional<RunBaseline> baseline_;
  Parameters first_gradients_;  // of one device
  std::unique_ptr<Trainer> trainer_;
  RunStatistics statistics_;
  LinkSettings link_in_use_;
};

std::vector<LinkSettings> Run::links() const {
  std::vector<LinkSettings> links;
  for (const DeviceSpec& device : setup_.experiment.devices)
    links.push_back(device.link.value_or(link_in_use_));
  return links;
}

// From the plan's own shares and times. The master's rest is taken to be the baseline's, and a
// device's update of resident kernels, its part of the baseline's.
double Run::predicted_step_ms(const BaselineTimes& baseline) const {
  const DistributionOptions& options = setup_.experiment.distribution.options;
  std::vector<LayerWork> layers = planned_work(plan_);
  std::vector<SplitMode> splits;
  for (std::size_t number = 0; number < layers.size(); ++number) {
    LayerWork& layer = layers[number];
    splits.push_back(layer.split);
    if (!options.resident_kernels || layer.split != SplitMode::kKernels) continue;
    const double whole_ms = update_ms(baseline.rest, setup_.spec, number);
    for (PartWork& part : layer.parts)
      part.update_ms = resident_update_ms(part, whole_ms, setup_.problems[number].out_channels);
  }
  const double rest_ms = master_rest_ms(baseline.rest, setup_.spec, splits, options);
  return predict_step(layers, links(), options, rest_ms).step_ms;
}

// The devices' summed speed relative to the baseline device.
double Run::relative_speed() const {
  double sum = 0.0;
  for (int device = 0; device < cluster_->size(); ++device)
    sum += plan_.alone_ms(baseline_->device) / plan_.alone_ms(device);
  return sum;
}

void Run::apply_hooks() {
  const RunHooks& hooks = options_.hooks;
  auto& members = setup_.devices.members;
  for (std::size_t i = 0; hooks.replace_device && i < members.size(); ++i)
    members[i].device = hooks.replace_device(i, std::move(members[i].device));
  setup_.overdue = hooks.overdue;
}

void Run::tell_started() {
  const RunStarted started = describe_start(setup_, summary_);
  listeners_.tell([&](RunListener& l) { l.on_started(started); });
  for (const std::string& warning : setup_.devices.warnings)
    listeners_.message(Severity::kWarning, warning);
}

void Run::calibrate() {
  const int layers = static_cast<int>(setup_.problems.size());
  cluster_ =
      std::make_unique<Cluster>(std::move(setup_.devices.members), stop_, setup_.experiment.clock);
  if (setup_.overdue) cluster_->set_overdue(setup_.overdue);
  cluster_->set_overlap(setup_.experiment.distribution.options.overlap);
  control_.attach([this](const LinkSettings& settings) {
    for (int device = 1; device < cluster_->size(); ++device)
      if (!setup_.experiment.devices[static_cast<std::size_t>(device)].link)
        cluster_->set_link(device, settings);
  });
  const auto names = setup_.device_names();
  plan_ = convoy::calibrate(*cluster_, setup_.problems, names, setup_.policy,
                            setup_.experiment.distribution.options, [&](int layer) {
                              listeners_.phase(
                                  RunPhase::kCalibrating,
                                  "timing every device on layer " + std::to_string(layer + 1),
                                  layer, layers);
                            });
  for (const LostDevice& lost : plan_.lost) {
    const RunQuarantine event{0,
                              lost.device,
                              names[static_cast<std::size_t>(lost.device)],
                              describe_command(lost),
                              lost.reason,
                              lost.hanging};
    listeners_.tell([&](RunListener& l) { l.on_quarantine(event); });
    listeners_.message(Severity::kWarning,
                       "Device " + event.name + " failed in " + event.during + " (" + event.reason +
                           ") and is quarantined; the others go on without it.");
  }
  for (const std::string& message : plan_.messages) listeners_.message(Severity::kWarning, message);
  for (const std::string& note : plan_.notes) listeners_.message(Severity::kInfo, note);
  for (const std::string& message : describe_slow_algorithms(plan_, names))
    listeners_.message(Severity::kWarning, message);
  // Whoever set a limit wants to know what came of it; all others find it in the event below.
  const auto& devices = setup_.experiment.devices;
  if (std::any_of(devices.begin(), devices.end(),
                  [](const DeviceSpec& device) { return device.scratch_limit_mb.has_value(); }))
    listeners_.message(Severity::kInfo, describe_scratch(plan_, names));

  const RunCalibrated calibrated = describe_calibration(plan_, cluster_->size());
  listeners_.tell([&](RunListener& l) { l.on_calibrated(calibrated); });
}

void Run::measure_baseline_step() {
  const Experiment& experiment = setup_.experiment;
  const bool timed = experiment.baseline != BaselineMode::kNone;
  RunBaseline baseline;
  if (experiment.baseline == BaselineMode::kFastest)
    for (int device = 1; device < cluster_->size(); ++device)
      if (plan_.alone_ms(device) < plan_.alone_ms(baseline.device)) baseline.device = device;
  const auto place = static_cast<std::size_t>(baseline.device);
  baseline.name = setup_.devices.described[place].name;

  const BaselineProblem problem{setup_.spec,
                                setup_.initial,
                                experiment.training.sgd,
                                setup_.data.train,
                                setup_.normalisation,
                                setup_.batch_size,
                                experiment.dataset.shuffle,
                                experiment.seed,
                                timed};
  BaselineTimes times = measure_baseline(
      problem, experiment.devices[place], *setup_.devices.master_pool, experiment.devices[0].speed,
      experiment.clock, stop_, [&](int done, int total) {
        listeners_.phase(RunPhase::kBaseline, "training on " + baseline.name + " alone", done,
                         total);
      });
  first_gradients_ = std::move(times.first_gradients);
  if (!timed) return;
  baseline.step_ms = times.step_ms;
  baseline.conv_ms = times.conv_ms;
  baseline.comp_ms = times.comp_ms;
  baseline_ = baseline;
  if (options_.out && all_measured(plan_)) {
    const CalibrationRecord record =
        make_record(experiment, setup_.spec, experiment.devices, plan_, baseline.device, times);
    write_file_atomically(*options_.out / "calibration.json", calibration_json({record}));
  }
  // With pooling and updates, where devices do these too.
  std::vector<SplitMode> splits;
  for (const LayerPlan& layer : plan_.layers) splits.push_back(layer.split);
  const double moved_ms =
      master_rest_ms(times.rest, setup_.spec, splits, {}) -
      master_rest_ms(times.rest, setup_.spec, splits, experiment.distribution.options);
  baseline_->amdahl_limit = baseline.amdahl_limit =
      amdahl_limit(baseline, baseline.conv_ms + moved_ms, relative_speed());

  RunCalibrated calibrated = describe_calibration(plan_, cluster_->size());
  calibrated.predicted_step_ms = predicted_step_ms(times);
  summary_.predicted_step_ms = calibrated.predicted_step_ms;
  summary_.baseline = baseline.name;
  summary_.baseline_step_ms = baseline.step_ms;
  summary_.amdahl_limit = baseline.amdahl_limit;
  listeners_.tell([&](RunListener& l) { l.on_calibrated(calibrated); });
  listeners_.tell([&](RunListener& l) { l.on_baseline(baseline); });
}

void Run::train() {
  trainer_ = std::make_unique<Trainer>(setup_, *cluster_, plan_, listeners_);
  listeners_.phase(RunPhase::kTraining, "training", 0, setup_.steps);
  for (int number = 1; number <= setup_.steps; ++number) {
    wait_while_paused();
    stop_->throw_if_stopped();
    follow_link(number);
    readmit_devices(number);
    const RunStep step = trainer_->step(number, link_in_use_.bandwidth_mbps);
    if (number == 1)
      summary_.gradient_difference =
          gradient_difference(trainer_->gradients(), std::exchange(first_gradients_, {}));
    statistics_.add(step);
    listeners_.tell([&](RunListener& l) { l.on_step(step); });
  }
}

void Run::wait_while_paused() const {
  using namespace std::chrono_literals;
  while (control_.paused()) real_clock().sleep_until(SteadyClock::now() + 20ms, stop_);
}

// A bandwidth that was moved during the run shows in the files from the next step on.
void Run::follow_link(int step) {
  const auto moved = control_.link();
  if (!moved || *moved == link_in_use_) return;
  link_in_use_ = *moved;
  summary_.bandwidth_mbps = moved->bandwidth_mbps;
  listeners_.message(Severity::kInfo, "The bandwidth is now " + bandwidth_text(*moved) + ".");
  trainer_->follow_links(step);
}

void Run::readmit_devices(int step) {
  const auto names = setup_.device_names();
  for (const std::string& name : control_.take_readmissions()) {
    const auto found = std::find(names.begin(), names.end(), name);
    if (found == names.end())
      listeners_.message(Severity::kWarning, "There is no device " + name + " in this run.");
    else
      trainer_->readmit(static_cast<int>(found - names.begin()), step);
  }
}

void Run::test() {
  summary_.test_accuracy = trainer_->test_accuracy(
      [&](int done, int total) { listeners_.phase(RunPhase::kTesting, "testing", done, total); });
}

// How long the slowest link takes to bring the weights that are kept beyond it.
double Run::fetch_seconds() const {
  const DistributionOptions& options = setup_.experiment.distribution.options;
  std::vector<double> ms(setup_.experiment.devices.size());
  for (const LayerPlan& layer : trainer_->plan().layers) {
    const std::vector<LayerPart> parts = layer.parts(options);
    for (std::size_t device = 1; device < parts.size(); ++device)
      if (parts[device].resident && !parts[device].empty())
        ms[device] += transfer_ms(cluster_->link(static_cast<int>(device)),
                                  parts[device].problem.weight_size() * sizeof(float));
  }
  return *std::max_element(ms.begin(), ms.end()) / 1e3;
}

void Run::save_weights() {
  const auto save = [&] {
    write_weights(*options_.out / "weights.safetensors", setup_.spec, trainer_->parameters());
  };
  if (summary_.outcome != RunOutcome::kStopped) {
    try {
      return save();
    } catch (const Interrupted&) {
      if (summary_.outcome == RunOutcome::kDone) summary_.outcome = RunOutcome::kStopped;
    }
  }
  // Whoever stopped a run does not want to wait for a slow link.
  constexpr double kPatience = 0.5;  // seconds
  if (fetch_seconds() > kPatience) {
    listeners_.message(Severity::kWarning,
                       "The weights stay on their devices and are not saved: after Stop, "
                       "fetching them over the slowest link would take " +
                           number_text(std::ceil(fetch_seconds())) + " s.");
    return;
  }
  cluster_->outlive_stop();
  save();
}

// Listeners hear of the end, whatever becomes of the weights.
void Run::finish() {
  if (cluster_) statistics_.complete(summary_, baseline_ ? relative_speed() : 1.0);
  std::exception_ptr failure;
  try {
    if (options_.out && statistics_.steps() > 0) save_weights();
  } catch (const std::exception& error) {
    failure = std::current_exception();
    note_failure(error.what());
  }
  listeners_.finished(summary_);
  if (failure) std::rethrow_exception(failure);
}

void Run::note_failure(const std::string& what) {
  summary_.outcome = RunOutcome::kFailed;
  if (!summary_.failure.empty()) summary_.failure += "; and then: ";
  summary_.failure += what;
}

// What was measured is kept, whatever went wrong. It is the first failure that is reported.
void Run::fail(const std::string& what) noexcept {
  try {
    note_failure(what);
    finish();
  } catch (const std::exception&) {
  }
}

}  // namespace

int devices_left_hanging() {
  return threads_left_behind();
}

RunSummary run_experiment(const Experiment& experiment, RunControl& control,
                          const std::vector<RunListener*>& listeners, const RunOptions& options) {
  std::unique_ptr<RunFolder> folder;
  std::vector<RunListener*> all;
  if (options.out) {
    folder = std::make_unique<RunFolder>(*options.out);
    all.push_back(folder.get());
  }
  all.insert(all.end(), listeners.begin(), listeners.end());
  return Run(control, RunListeners(std::move(all)), options)(experiment);
}

}  // namespace convoy
