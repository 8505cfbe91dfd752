#include "engine/training/trainer.h"

#include <algorithm>
#include <cmath>

#include "engine/base/number_text.h"
#include "engine/training/run_statistics.h"

namespace convoy {

Trainer::Trainer(RunSetup& setup, Cluster& cluster, const ClusterPlan& plan)
    : setup_(setup),
      cluster_(cluster),
      model_(setup.spec, setup.batch_size, *setup.devices.master_pool),
      convolutions_(cluster, plan, setup.experiment.distribution.options,
                    *setup.devices.master_pool),
      batch_(setup.data.train, setup.normalisation, setup.batch_size, *setup.devices.master_pool) {
  model_.parameters() = std::move(setup.initial);
  model_.place_weights(convolutions_);
}

RunStep Trainer::step(int number, const std::optional<double>& bandwidth_mbps) {
  const Experiment& experiment = setup_.experiment;
  const int place = (number - 1) % setup_.steps_per_epoch;
  RunStep step;
  step.step = number;
  step.epoch = (number - 1) / setup_.steps_per_epoch + 1;
  step.warm_up = number <= warm_up_steps(setup_.steps);
  step.bandwidth_mbps = bandwidth_mbps;
  step.begin = cluster_.now();
  if (place == 0)
    order_ = epoch_order(setup_.data.train.count(), experiment.dataset.shuffle, experiment.seed,
                         step.epoch);
  const int size = setup_.batch_size;
  batch_.load(order_, static_cast<std::size_t>(place) * static_cast<std::size_t>(size), size);
  step.master.push_back({"batch", step.begin, cluster_.now()});
  const StepResult result =
      model_.train_step(batch_.pixels(), batch_.labels(), experiment.training.sgd, convolutions_);
  const double layers_ms = milliseconds(convolutions_.take_time());
  // The virtual clock has the master's speed in itself.
  if (experiment.clock == ClockMode::kWall)
    wait_for_slower(step.begin, layers_ms, experiment.devices[0].speed, cluster_.stop());
  step.end = cluster_.now();

  for (const MasterSlice& slice : result.slices)
    step.master.push_back({slice.name, cluster_.at(slice.begin), cluster_.at(slice.end)});
  cluster_.end_step();
  step.slices = convolutions_.take_slices();
  step.step_ms = milliseconds(step.end - step.begin);
  const ConvTimes times = conv_times(step.slices, layers_ms, cluster_.size());
  step.conv_ms = times.conv_ms;
  step.comm_ms = times.comm_ms;
  step.comp_ms = step.step_ms - layers_ms;
  step.loss = result.loss;
  step.train_accuracy = static_cast<double>(result.correct) / size;
  if (!std::isfinite(result.loss))
    throw Error(ErrorKind::kRun, "step " + std::to_string(number),
                "the loss is no longer a number; a smaller learning rate than " +
                    number_text(experiment.training.sgd.learning_rate) + " may help");
  return step;
}

double Trainer::test_accuracy(const std::function<void(int done, int total)>& progress) {
  const ImageSet& pictures = setup_.data.test;
  const int size = setup_.batch_size;
  const int count = pictures.count();
  const int batches = (count + size - 1) / size;
  const auto order = epoch_order(count, false, 0, 1);
  Batch batch(pictures, setup_.normalisation, size, *setup_.devices.master_pool);
  int correct = 0;
  for (int i = 0; i < batches; ++i) {
    cluster_.stop()->throw_if_stopped();
    progress(i, batches);
    const int valid = std::min(size, count - i * size);
    batch.load(order, static_cast<std::size_t>(i) * static_cast<std::size_t>(size), valid);
    correct += model_.evaluate(batch.pixels(), batch.labels(), valid, convolutions_).correct;
    cluster_.end_step();
  }
  return static_cast<double>(correct) / count;
}

}  // namespace convoy
