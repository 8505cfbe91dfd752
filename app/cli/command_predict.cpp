// convoy predict: what experiments will take, without running them.
#include <algorithm>
#include <iostream>
#include <set>

#include "app/cli/commands.h"
#include "app/cli/experiment_argument.h"
#include "app/cli/interrupt.h"
#include "app/cli/prediction_report.h"
#include "app/cli/run_progress.h"
#include "app/cli/vary_argument.h"
#include "engine/base/atomic_file.h"

namespace convoy::cli {
namespace {

struct Options {
  ExperimentArgument experiment;
  std::string devices, method, save_calibration;
  std::vector<std::string> vary, calibrations;
  bool json = false, quiet = false;
};

std::vector<Variation> variations_of(const Options& options) {
  std::vector<std::string> texts = options.vary;
  if (!options.devices.empty()) texts.push_back("devices=" + options.devices);
  if (!options.method.empty()) texts.push_back("method=" + options.method);
  return parse_variations(texts);
}

std::vector<DeviceSpec> recorded_devices(const CalibrationRecord& record) {
  std::vector<DeviceSpec> devices;
  for (const auto& device : record.devices)
    devices.push_back({device.id, device.name, 1.0, std::nullopt, device.scratch_limit_mb});
  return devices;
}

// One calibration serves all variants of a problem: its devices are those of the variant that has
// most, and every one beside that only another variant has.
Experiment to_calibrate(const Experiment& problem, const std::vector<Variant>& variants) {
  Experiment experiment = problem;
  const auto same = [&](const Experiment& other) {
    return other.network == problem.network &&
           other.training.batch_size == problem.training.batch_size &&
           other.dataset.kind == problem.dataset.kind;
  };
  for (const Variant& variant : variants)
    if (same(variant.experiment) && variant.experiment.devices.size() > experiment.devices.size())
      experiment.devices = variant.experiment.devices;
  std::set<std::string> names;
  for (const DeviceSpec& device : experiment.devices)
    names.insert(device.name.empty() ? device.id : device.name);
  for (const Variant& variant : variants) {
    if (!same(variant.experiment)) continue;
    for (DeviceSpec device : variant.experiment.devices) {
      const bool known = std::any_of(
          experiment.devices.begin(), experiment.devices.end(), [&](const DeviceSpec& other) {
            return other.id == device.id && other.scratch_limit_mb == device.scratch_limit_mb;
          });
      if (known) continue;
      while (!names.insert(device.name.empty() ? device.id : device.name).second)
        device.name = (device.name.empty() ? device.id : device.name) + "'";
      experiment.devices.push_back(device);
    }
  }
  experiment.distribution = {};  // calibrated shares, by the paper's method
  return experiment;
}

// What is not known yet is measured now.
void calibrate_missing(const std::vector<Variant>& variants, bool quiet, PredictionStudy& study) {
  RunControl control;
  const InterruptGuard interrupt(control);
  RunProgress progress(quiet);
  for (const Variant& variant : variants)
    if (!study.record_of(variant.experiment))
      study.add(calibrate_only(to_calibrate(variant.experiment, variants), control, {&progress}));
}

int run(const Options& options) {
  const std::vector<Variation> variations = variations_of(options);
  PredictionStudy study;
  for (const std::string& file : options.calibrations)
    for (CalibrationRecord& record : read_calibration(file)) study.add(std::move(record));

  const std::vector<Variant> variants =
      vary(options.experiment.text(), variations, options.experiment.file, [&] {
        return study.records().empty() ? default_devices()
                                       : recorded_devices(study.records().front());
      });

  std::vector<PredictedVariant> predicted;
  try {
    if (options.calibrations.empty()) calibrate_missing(variants, options.quiet, study);
    for (const Variant& variant : variants) {
      const BreakEven even = study.break_even(variant.experiment);
      predicted.push_back({variant.values, study.predict(variant.experiment), even,
                           study.verdict(variant.experiment, even)});
    }
  } catch (const Error& error) {
    options.experiment.rethrow(error);
  }
  if (!options.save_calibration.empty())
    write_file_atomically(options.save_calibration, calibration_json(study.records()));
  const std::vector<std::string> paths = paths_of(variations);
  std::cout << (options.json ? prediction_json(paths, predicted)
                             : prediction_text(paths, predicted));
  return 0;
}

}  // namespace

void add_predict_command(CLI::App& app, Action& action) {
  CLI::App* command = app.add_subcommand(
      "predict", "Say what a step of an experiment will take, without running it");
  const auto options = std::make_shared<Options>();
  options->experiment.add_to(*command);
  add_vary_option(*command, options->vary, "Predict");
  command
      ->add_option("--devices", options->devices,
                   "1,2,3: with the first one, two, three of the experiment's devices; the same as "
                   "--vary devices=1,2,3")
      ->type_name("N,...");
  command
      ->add_option("--method", options->method,
                   "paper,best: with none and with all options of the distribution; the same as "
                   "--vary method=paper,best")
      ->type_name("NAME,...");
  command
      ->add_option("--calibration", options->calibrations,
                   "calibration.json of a run, or what --save-calibration wrote: the devices are "
                   "not needed then; may come again")
      ->type_name("FILE")
      ->check(kNotEmpty)
      ->allow_extra_args(false);
  command
      ->add_option("--save-calibration", options->save_calibration,
                   "File for the calibrations used")
      ->type_name("FILE")
      ->check(kNotEmpty);
  command->add_flag("--json", options->json, "As a JSON list, one object a combination");
  command->add_flag("--quiet", options->quiet, "No progress, only warnings and errors");
  command->footer(
      "Without --calibration the devices are timed now, as a run does before its first step, once\n"
      "for each network and batch size. One calibration serves any links, shares, methods, speeds\n"
      "and numbers of the devices that it has. break-even: the bandwidth of the default link from\n"
      "which on a step always is as fast as on the baseline's device alone; with split auto, "
      "which\n"
      "leaves work where moving it takes longer than it saves, from which on it is faster (1.01).");
  choose(*command, action, options, run);
}

}  // namespace convoy::cli
