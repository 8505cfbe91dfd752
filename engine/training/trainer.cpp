#include "engine/training/trainer.h"

#include <algorithm>
#include <cmath>

#include "engine/base/number_text.h"
#include "engine/training/run_statistics.h"
#include "engine/training/trainer_workspace.h"

namespace convoy {

Trainer::Trainer(RunSetup& setup, Cluster& cluster, const ClusterPlan& plan,
                 const RunListeners& listeners)
    : setup_(setup),
      cluster_(cluster),
      listeners_(listeners),
      names_(setup.device_names()),
      work_(std::make_shared<Workspace>(setup)),
      plan_(plan) {
  work_->model.parameters() = std::move(setup.initial);
  if (setup.experiment.distribution.options.resident_kernels)
    copy_ = {0, work_->model.training_state()};
  cluster_.keep_alive(work_);
  divide_or_recover(plan, 1);
  tell_of_copies();
}

Trainer::~Trainer() {
  cluster_.keep_alive(nullptr);
}

RunStep Trainer::step(int number, const std::optional<double>& bandwidth_mbps) {
  copy_state();  // before, so that a stop meanwhile loses no step
  RunStep step = outlive_losses(number, "step " + std::to_string(number), [&] {
    catch_up(number - 1);
    return attempt_step(number, bandwidth_mbps);
  });
  if (!std::isfinite(step.loss))
    throw Error(ErrorKind::kRun, "step " + std::to_string(number),
                "the loss is no longer a number; a smaller learning rate than " +
                    number_text(setup_.experiment.training.sgd.learning_rate) + " may help");
  rebalance(step);
  return step;
}

void Trainer::catch_up(int number) {
  while (done_ < number) attempt_step(done_ + 1, std::nullopt);
}

RunStep Trainer::attempt_step(int number, const std::optional<double>& bandwidth_mbps) {
  const Experiment& experiment = setup_.experiment;
  Workspace& work = *work_;
  const int place = (number - 1) % setup_.steps_per_epoch;
  RunStep step;
  step.step = number;
  step.epoch = (number - 1) / setup_.steps_per_epoch + 1;
  step.warm_up = number <= warm_up_steps(setup_.steps);
  step.bandwidth_mbps = bandwidth_mbps;
  step.begin = cluster_.now();
  if (std::exchange(epoch_, step.epoch) != step.epoch)
    order_ = epoch_order(setup_.data.train.count(), experiment.dataset.shuffle, experiment.seed,
                         step.epoch);
  const int size = setup_.batch_size;
  work.batch.load(order_, static_cast<std::size_t>(place) * static_cast<std::size_t>(size), size);
  step.master.push_back({"batch", step.begin, cluster_.now()});
  const StepResult result = work.model.train_step(work.batch.pixels(), work.batch.labels(),
                                                  experiment.training.sgd, *work.convolutions);
  done_ = number;
  const double layers_ms = milliseconds(work.convolutions->take_time());
  // The virtual clock has the master's speed in itself.
  if (experiment.clock == ClockMode::kWall)
    wait_for_slower(step.begin, layers_ms, experiment.devices[0].speed, cluster_.stop());
  step.end = cluster_.now();

  for (const MasterSlice& slice : result.slices)
    step.master.push_back({slice.name, cluster_.at(slice.begin), cluster_.at(slice.end)});
  cluster_.end_step();
  step.slices = work.convolutions->take_slices();
  step.step_ms = milliseconds(step.end - step.begin);
  const ConvTimes times = conv_times(step.slices, layers_ms, cluster_.size());
  step.conv_ms = times.conv_ms;
  step.comm_ms = times.comm_ms;
  step.comp_ms = step.step_ms - layers_ms;
  step.loss = result.loss;
  step.train_accuracy = static_cast<double>(result.correct) / size;
  return step;
}

double Trainer::test_accuracy(const std::function<void(int done, int total)>& progress) {
  const int size = setup_.batch_size;
  const int count = setup_.data.test.count();
  const int batches = (count + size - 1) / size;
  const auto order = epoch_order(count, false, 0, 1);
  const int trained = done_;
  int correct = 0;
  for (int i = 0; i < batches; ++i) {
    cluster_.stop()->throw_if_stopped();
    progress(i, batches);
    const int valid = std::min(size, count - i * size);
    correct +=
        outlive_losses(setup_.steps + 1, "batch " + std::to_string(i + 1) + " of the test", [&] {
          catch_up(trained);
          return attempt_test_batch(order, i * size, valid);
        });
    cluster_.end_step();
  }
  return static_cast<double>(correct) / count;
}

int Trainer::attempt_test_batch(const std::vector<int>& order, int first, int valid) {
  Workspace& work = *work_;
  if (!work.test_batch)
    work.test_batch.emplace(setup_.data.test, setup_.normalisation, setup_.batch_size,
                            *setup_.devices.master_pool);
  work.test_batch->load(order, static_cast<std::size_t>(first), valid);
  return work.model
      .evaluate(work.test_batch->pixels(), work.test_batch->labels(), valid, *work.convolutions)
      .correct;
}

const Parameters& Trainer::gradients() {
  const int trained = done_;
  outlive_losses(trained, "fetching the gradients", [&] {
    catch_up(trained);
    work_->model.fetch_gradients(*work_->convolutions);
  });
  cluster_.end_step();
  return work_->model.gradients();
}

const Parameters& Trainer::parameters() {
  const int trained = done_;
  outlive_losses(trained, "fetching the weights", [&] {
    catch_up(trained);
    work_->model.fetch_weights(*work_->convolutions);
  });
  return work_->model.parameters();
}

}  // namespace convoy
