#include "engine/training/baseline.h"
#include "engine/training/prediction_study.h"
#include "engine/training/run_description.h"
#include "engine/training/run_setup.h"

namespace convoy {

CalibrationRecord calibrate_only(const Experiment& given, RunControl& control,
                                 const std::vector<RunListener*>& hearing) {
  const RunListeners listeners(hearing);
  RunSetup setup = prepare_run(given, control, listeners);
  const Experiment& experiment = setup.experiment;
  for (const std::string& warning : setup.devices.warnings)
    listeners.message(Severity::kWarning, warning);

  Cluster cluster(std::move(setup.devices.members), &control.stop_token(), experiment.clock);
  const int layers = static_cast<int>(setup.problems.size());
  const auto names = setup.device_names();
  const ClusterPlan plan = calibrate(
      cluster, setup.problems, names, setup.policy, setup.experiment.distribution.options,
      [&](int layer) {
        listeners.phase(RunPhase::kCalibrating,
                        "timing every device on layer " + std::to_string(layer + 1), layer, layers);
      });
  if (!plan.lost.empty()) {
    const LostDevice& lost = plan.lost.front();
    throw Error(ErrorKind::kDevice, names[static_cast<std::size_t>(lost.device)],
                "failed in calibration: " + lost.reason);
  }
  for (const std::string& message : describe_slow_algorithms(plan, names))
    listeners.message(Severity::kWarning, message);

  int fastest = 0;
  if (experiment.baseline != BaselineMode::kMaster)
    for (int device = 1; device < cluster.size(); ++device)
      if (plan.alone_ms(device) < plan.alone_ms(fastest)) fastest = device;
  const auto place = static_cast<std::size_t>(fastest);
  const BaselineProblem problem{
      setup.spec,          setup.initial,    experiment.training.sgd,    setup.data.train,
      setup.normalisation, setup.batch_size, experiment.dataset.shuffle, experiment.seed};
  const BaselineTimes baseline = measure_baseline(
      problem, experiment.devices[place], *setup.devices.master_pool, experiment.devices[0].speed,
      experiment.clock, &control.stop_token(), [&](int done, int total) {
        listeners.phase(RunPhase::kBaseline, "timing steps on " + names[place] + " alone", done,
                        total);
      });
  return make_record(experiment, setup.spec, experiment.devices, plan, fastest, baseline);
}

}  // namespace convoy
