#include "app/cli/experiment_argument.h"

#include "engine/base/atomic_file.h"
#include "engine/training/experiment.h"

namespace convoy::cli {

void ExperimentArgument::add_to(CLI::App& command) {
  command.add_option("EXPERIMENT.json", file, "The experiment file")->required();
  command
      .add_option("--set", settings,
                  "Change the experiment: training.batch_size=64, "
                  "devices.1.speed=0.5, network.kernels=[50,500]; may come again")
      ->type_name("path=value")
      ->allow_extra_args(false);
}

std::string ExperimentArgument::text() const {
  std::string text = read_whole_file(file, ErrorKind::kExperiment);
  for (const std::string& setting : settings) text = with_setting(text, setting, file);
  return text;
}

void ExperimentArgument::rethrow(const Error& error) const {
  if (error.kind() != ErrorKind::kExperiment) throw error;
  throw Error(ErrorKind::kExperiment, file, error.what());
}

}  // namespace convoy::cli
