#include "engine/training/run.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <ctime>
#include <new>
#include <random>

#include "engine/base/number_text.h"
#include "engine/base/pace_clock.h"
#include "engine/cluster/distributed_conv.h"
#include "engine/cluster/prediction.h"
#include "engine/network/model.h"
#include "engine/network/weight_file.h"
#include "engine/results/run_folder.h"
#include "engine/training/baseline.h"
#include "engine/training/batches.h"
#include "engine/training/memory_need.h"
#include "engine/training/run_devices.h"
#include "engine/training/run_listeners.h"
#include "engine/training/run_statistics.h"

namespace convoy {

namespace {

// "20261121-131702-4f2a": sorts by time (UTC), and two runs of one second differ.
std::string new_run_name() {
  const std::time_t now = std::time(nullptr);
  std::tm utc{};
  gmtime_r(&now, &utc);
  char date[32], text[48];
  std::strftime(date, sizeof date, "%Y%m%d-%H%M%S", &utc);
  std::snprintf(text, sizeof text, "%s-%04x", date, std::random_device{}() & 0xffffU);
  return text;
}

RunCalibrated describe(const ClusterPlan& plan, int devices) {
  RunCalibrated calibrated;
  for (const LayerPlan& layer : plan.layers) {
    auto& row = calibrated.layers.emplace_back();
    for (std::size_t device = 0; device < static_cast<std::size_t>(devices); ++device) {
      const ConvMeasurement& measured = layer.measured[device];
      const int kernels = layer.measured_kernels[device];
      const double passes = layer.needs_grad_input ? 3.0 : 2.0;
      const double gflop = layer.problem.with_kernels(kernels).flops() * passes / 1e9;
      row.push_back({kernels, measured.ms, gflop / measured.total_ms() * 1e3, measured.algorithm});
    }
    calibrated.kernels.push_back(layer.kernels);
  }
  for (int device = 0; device < devices; ++device) {
    calibrated.share.push_back(plan.share(device));
    calibrated.gflops.push_back(plan.gflops(device));
  }
  return calibrated;
}

std::string bandwidth_text(const LinkSettings& link) {
  if (!link.bandwidth_mbps) return "unlimited";
  char text[48];
  std::snprintf(text, sizeof text, "%g Mb/s", *link.bandwidth_mbps);
  return text;
}

// One run from its data to its summary; lives for one call of run_experiment().
class Run {
 public:
  Run(Experiment experiment, RunControl& control, RunListeners listeners,
      const std::optional<std::filesystem::path>& out)
      : experiment_(std::move(experiment)),
        control_(control),
        listeners_(std::move(listeners)),
        out_(out) {}
  ~Run() { control_.attach({}); }
  Run(const Run&) = delete;
  Run& operator=(const Run&) = delete;

  RunSummary operator()() {
    prepare();
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
  void prepare();
  void check_memory() const;
  void tell_started();
  void calibrate();
  void measure_baseline_step();
  void train();
  RunStep train_one(DistributedConv& convolutions, Batch& batch, int number);
  void test();
  void finish();
  void fail(const std::string& what) noexcept;
  void wait_while_paused() const;
  void follow_link();
  std::vector<std::string> device_names() const;
  std::vector<LinkSettings> links() const;
  double relative_speed() const;

  Experiment experiment_;
  RunControl& control_;
  RunListeners listeners_;
  std::optional<std::filesystem::path> out_;
  const StopToken* stop_ = &control_.stop_token();

  Dataset data_;
  Normalisation normalisation_;
  NetworkSpec spec_;
  int steps_ = 0, steps_per_epoch_ = 0;
  Parameters initial_;
  RunDevices devices_;
  RunSummary summary_;

  // In this order: what is declared later is destroyed first and uses what comes before.
  std::unique_ptr<Cluster> cluster_;
  ClusterPlan plan_;
  std::optional<RunBaseline> baseline_;
  std::unique_ptr<Model> model_;
  std::unique_ptr<DistributedConv> convolutions_;
  std::vector<int> order_;  // of the epoch under way
  RunStatistics statistics_;
  LinkSettings link_in_use_;
};

std::vector<std::string> Run::device_names() const {
  std::vector<std::string> names;
  for (const RunDevice& device : devices_.described) names.push_back(device.name);
  return names;
}

std::vector<LinkSettings> Run::links() const {
  std::vector<LinkSettings> links;
  for (const DeviceSpec& device : experiment_.devices)
    links.push_back(device.link.value_or(link_in_use_));
  return links;
}

// The devices' summed speed relative to the baseline device.
double Run::relative_speed() const {
  double sum = 0.0;
  for (int device = 0; device < cluster_->size(); ++device)
    sum += plan_.alone_ms(baseline_->device) / plan_.alone_ms(device);
  return sum;
}

// Everything that can be refused is refused here, before anything is computed or written.
void Run::prepare() {
  if (experiment_.devices.empty()) experiment_.devices = default_devices();
  if (const auto moved = control_.link()) experiment_.link = *moved;
  link_in_use_ = experiment_.link;
  validate(experiment_, "");
  listeners_.phase(RunPhase::kPreparing, "opening the devices", 0, 0);
  devices_ = open_run_devices(experiment_.devices, experiment_.link);

  listeners_.phase(RunPhase::kPreparing, "loading the data", 0, 0);
  data_ = load_dataset(experiment_.dataset, experiment_.seed, stop_);
  const int batch_size = experiment_.training.batch_size;
  if (data_.train.count() < batch_size)
    throw Error(ErrorKind::kExperiment, "/training/batch_size",
                "is " + std::to_string(batch_size) + ", but there are only " +
                    std::to_string(data_.train.count()) + " training pictures");
  normalisation_ = normalisation_of(data_.train);
  spec_ = {experiment_.network, data_.train.channels, data_.train.height, data_.train.width,
           static_cast<int>(data_.class_names.size())};
  const auto problems = spec_.conv_problems(batch_size);
  for (const ConvProblem& problem : problems) problem.validate();
  check_memory();
  steps_per_epoch_ = data_.train.count() / batch_size;
  steps_ = experiment_.training.steps ? *experiment_.training.steps
                                      : *experiment_.training.epochs * steps_per_epoch_;
  initial_ = experiment_.training.initial_weights.empty()
                 ? Parameters::he(spec_, experiment_.seed)
                 : read_weights(experiment_.training.initial_weights, spec_);

  summary_.run = new_run_name();
  summary_.name = experiment_.name.empty() ? network_name(experiment_.network) : experiment_.name;
  summary_.dataset = std::string(dataset_kind_name(experiment_.dataset.kind));
  summary_.network = network_name(experiment_.network);
  summary_.batch_size = batch_size;
  summary_.devices = static_cast<int>(experiment_.devices.size());
  summary_.bandwidth_mbps = experiment_.link.bandwidth_mbps;
  summary_.split = experiment_.distribution.split;
  summary_.version = CONVOY_VERSION;
}

// Better refused here than ended by the system in the middle of the run.
void Run::check_memory() const {
  const int batch_size = experiment_.training.batch_size;
  const auto need = memory_need(spec_, batch_size, static_cast<int>(experiment_.devices.size()));
  const auto available = available_memory();
  if (!available || need <= *available) return;
  char text[160];
  std::snprintf(
      text, sizeof text,
      "is %d: with this network that needs about %.1f GiB of memory, and %.1f GiB are free; "
      "a smaller batch or network needs less",
      batch_size, static_cast<double>(need) / (1 << 30),
      static_cast<double>(*available) / (1 << 30));
  throw Error(ErrorKind::kExperiment, "/training/batch_size", text);
}

void Run::tell_started() {
  RunStarted started;
  started.run = summary_.run;
  started.name = summary_.name;
  started.dataset = summary_.dataset;
  started.network = summary_.network;
  started.batch_size = summary_.batch_size;
  started.steps = steps_;
  started.steps_per_epoch = steps_per_epoch_;
  started.split = summary_.split;
  started.devices = devices_.described;
  started.layers = spec_.conv_problems(summary_.batch_size);
  started.bandwidth_mbps = summary_.bandwidth_mbps;
  started.experiment_json = experiment_json(experiment_);
  listeners_.tell([&](RunListener& l) { l.on_started(started); });
  for (const std::string& warning : devices_.warnings)
    listeners_.message(Severity::kWarning, warning);
}

void Run::calibrate() {
  const auto problems = spec_.conv_problems(summary_.batch_size);
  const int layers = static_cast<int>(problems.size());
  cluster_ = std::make_unique<Cluster>(std::move(devices_.members), stop_);
  control_.attach([this](const LinkSettings& settings) {
    for (int device = 1; device < cluster_->size(); ++device)
      if (!experiment_.devices[static_cast<std::size_t>(device)].link)
        cluster_->set_link(device, settings);
  });
  const DistributionSpec& distribution = experiment_.distribution;
  const std::size_t devices = experiment_.devices.size();
  SharePolicy policy;
  policy.calibrated = distribution.shares == ShareMode::kCalibrated;
  policy.fractions = distribution.shares == ShareMode::kExplicit
                         ? distribution.fractions
                         : std::vector<double>(devices, 1.0 / static_cast<double>(devices));
  plan_ = convoy::calibrate(*cluster_, problems, device_names(), policy, [&](int layer) {
    listeners_.phase(RunPhase::kCalibrating,
                     "timing every device on layer " + std::to_string(layer + 1), layer, layers);
  });
  for (const std::string& message : plan_.messages) listeners_.message(Severity::kWarning, message);

  RunCalibrated calibrated = describe(plan_, cluster_->size());
  listeners_.tell([&](RunListener& l) { l.on_calibrated(calibrated); });
}

void Run::measure_baseline_step() {
  if (experiment_.baseline == BaselineMode::kNone) return;
  RunBaseline baseline;
  if (experiment_.baseline == BaselineMode::kFastest)
    for (int device = 1; device < cluster_->size(); ++device)
      if (plan_.alone_ms(device) < plan_.alone_ms(baseline.device)) baseline.device = device;
  const auto place = static_cast<std::size_t>(baseline.device);
  baseline.name = devices_.described[place].name;

  const BaselineProblem problem{spec_,
                                initial_,
                                experiment_.training.sgd,
                                data_.train,
                                normalisation_,
                                summary_.batch_size,
                                experiment_.dataset.shuffle,
                                experiment_.seed};
  const BaselineTimes times = measure_baseline(
      problem, experiment_.devices[place].id, experiment_.devices[place].speed,
      *devices_.master_pool, experiment_.devices[0].speed, stop_, [&](int done, int total) {
        listeners_.phase(RunPhase::kBaseline, "training on " + baseline.name + " alone", done,
                         total);
      });
  baseline.step_ms = times.step_ms;
  baseline.conv_ms = times.conv_ms;
  baseline.comp_ms = times.comp_ms;
  baseline_ = baseline;
  baseline_->amdahl_limit = baseline.amdahl_limit = amdahl_limit(baseline, relative_speed());

  RunCalibrated calibrated = describe(plan_, cluster_->size());
  calibrated.predicted_step_ms = predict_step_ms(plan_, links(), baseline.comp_ms);
  summary_.predicted_step_ms = calibrated.predicted_step_ms;
  summary_.baseline = baseline.name;
  summary_.baseline_step_ms = baseline.step_ms;
  summary_.amdahl_limit = baseline.amdahl_limit;
  listeners_.tell([&](RunListener& l) { l.on_calibrated(calibrated); });
  listeners_.tell([&](RunListener& l) { l.on_baseline(baseline); });
}

void Run::train() {
  ThreadPool& pool = *devices_.master_pool;
  model_ = std::make_unique<Model>(spec_, summary_.batch_size, pool);
  model_->parameters() = std::move(initial_);
  convolutions_ = std::make_unique<DistributedConv>(*cluster_, plan_, pool);
  Batch batch(data_.train, normalisation_, summary_.batch_size, pool);
  listeners_.phase(RunPhase::kTraining, "training", 0, steps_);
  for (int number = 1; number <= steps_; ++number) {
    wait_while_paused();
    stop_->throw_if_stopped();
    follow_link();
    const RunStep step = train_one(*convolutions_, batch, number);
    statistics_.add(step);
    listeners_.tell([&](RunListener& l) { l.on_step(step); });
  }
}

RunStep Run::train_one(DistributedConv& convolutions, Batch& batch, int number) {
  const int place = (number - 1) % steps_per_epoch_;
  RunStep step;
  step.step = number;
  step.epoch = (number - 1) / steps_per_epoch_ + 1;
  step.warm_up = number <= warm_up_steps(steps_);
  step.bandwidth_mbps = link_in_use_.bandwidth_mbps;
  step.begin = SteadyClock::now();
  if (place == 0)
    order_ =
        epoch_order(data_.train.count(), experiment_.dataset.shuffle, experiment_.seed, step.epoch);
  const int size = summary_.batch_size;
  batch.load(order_, static_cast<std::size_t>(place) * static_cast<std::size_t>(size), size);
  step.master.push_back({"batch", step.begin, SteadyClock::now()});
  const StepResult result =
      model_->train_step(batch.pixels(), batch.labels(), experiment_.training.sgd, convolutions);
  const double layers_ms = milliseconds(convolutions.take_time());
  wait_for_slower(step.begin, layers_ms, experiment_.devices[0].speed, stop_);
  step.end = SteadyClock::now();

  for (const MasterSlice& slice : result.slices)
    step.master.push_back({slice.name, slice.begin, slice.end});
  step.slices = convolutions.take_slices();
  step.step_ms = milliseconds(step.end - step.begin);
  const ConvTimes times = conv_times(step.slices, layers_ms, cluster_->size());
  step.conv_ms = times.conv_ms;
  step.comm_ms = times.comm_ms;
  step.comp_ms = step.step_ms - layers_ms;
  step.loss = result.loss;
  step.train_accuracy = static_cast<double>(result.correct) / size;
  if (!std::isfinite(result.loss))
    throw Error(ErrorKind::kRun, "step " + std::to_string(number),
                "the loss is no longer a number; a smaller learning rate than " +
                    number_text(experiment_.training.sgd.learning_rate) + " may help");
  return step;
}

void Run::wait_while_paused() const {
  using namespace std::chrono_literals;
  while (control_.paused()) real_clock().sleep_until(SteadyClock::now() + 20ms, stop_);
}

// A bandwidth that was moved during the run shows in the files from the next step on.
void Run::follow_link() {
  const auto moved = control_.link();
  if (!moved || *moved == link_in_use_) return;
  link_in_use_ = *moved;
  summary_.bandwidth_mbps = moved->bandwidth_mbps;
  listeners_.message(Severity::kInfo, "The bandwidth is now " + bandwidth_text(*moved) + ".");
}

void Run::test() {
  const int size = summary_.batch_size;
  const int count = data_.test.count();
  const int batches = (count + size - 1) / size;
  const auto order = epoch_order(count, false, 0, 1);
  Batch batch(data_.test, normalisation_, size, *devices_.master_pool);
  int correct = 0;
  for (int i = 0; i < batches; ++i) {
    stop_->throw_if_stopped();
    listeners_.phase(RunPhase::kTesting, "testing", i, batches);
    const int valid = std::min(size, count - i * size);
    batch.load(order, static_cast<std::size_t>(i) * static_cast<std::size_t>(size), valid);
    correct += model_->evaluate(batch.pixels(), batch.labels(), valid, *convolutions_).correct;
  }
  summary_.test_accuracy = static_cast<double>(correct) / count;
}

void Run::finish() {
  if (cluster_) statistics_.complete(summary_, baseline_ ? relative_speed() : 1.0);
  if (out_ && statistics_.steps() > 0)
    write_weights(*out_ / "weights.safetensors", spec_, model_->parameters());
  listeners_.finished(summary_);
}

// What was measured is kept, whatever went wrong.
void Run::fail(const std::string& what) noexcept {
  summary_.outcome = RunOutcome::kFailed;
  summary_.failure = what;
  try {
    finish();
  } catch (const std::exception& error) {
    summary_.failure += "; and then: ";
    summary_.failure += error.what();
  }
}

}  // namespace

RunSummary run_experiment(const Experiment& experiment, RunControl& control,
                          const std::vector<RunListener*>& listeners,
                          const std::optional<std::filesystem::path>& out) {
  std::unique_ptr<RunFolder> folder;
  std::vector<RunListener*> all;
  if (out) {
    folder = std::make_unique<RunFolder>(*out);
    all.push_back(folder.get());
  }
  all.insert(all.end(), listeners.begin(), listeners.end());
  return Run(experiment, control, RunListeners(std::move(all)), out)();
}

}  // namespace convoy
