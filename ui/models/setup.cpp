#include "ui/models/setup.h"

#include <QDir>
#include <algorithm>
#include <cmath>
#include <numeric>

#include "datasets/synthetic.h"
#include "engine/base/error.h"
#include "engine/training/memory_need.h"

namespace convoy::ui {
namespace {

// Percentages on screen are rounded; three devices at 33.3 % mean a third each.
constexpr double kFractionRounding = 0.005;

int folderClasses(const std::string& path) {
  if (path.empty()) return 0;
  const QDir folder(QString::fromStdString(path));
  const QDir train(folder.filePath("train"));
  return static_cast<int>(
      (train.exists() ? train : folder).entryList(QDir::Dirs | QDir::NoDotAndDotDot).size());
}

}  // namespace

bool shareCores(const DeviceInfo& a, const DeviceInfo& b) {
  return std::any_of(a.cores.begin(), a.cores.end(), [&](int core) {
    return std::find(b.cores.begin(), b.cores.end(), core) != b.cores.end();
  });
}

std::vector<DeviceRow> defaultRows(const DeviceCatalog& catalog) {
  std::vector<DeviceRow> rows;
  for (const DeviceSpec& spec : catalog.defaults()) rows.push_back({spec, true, 0.0});
  for (const DeviceInfo& device : catalog.devices()) {
    const bool listed = std::any_of(rows.begin(), rows.end(),
                                    [&](const DeviceRow& row) { return row.spec.id == device.id; });
    if (device.id != "cpu" && !listed) rows.push_back({{device.id, {}, 1.0, {}}, false, 0.0});
  }
  return rows;
}

Setup defaultSetup(const DeviceCatalog& catalog) {
  Setup setup;
  // As resources/experiments/default.json: learns the built-in pictures within half a minute.
  setup.experiment.name = "First run";
  setup.experiment.dataset.train_limit = 10000;
  setup.experiment.dataset.test_limit = 1000;
  setup.experiment.network.kernels = {32, 64};
  setup.experiment.training.steps = 400;
  setup.experiment.training.sgd.learning_rate = 0.02;
  setup.devices = defaultRows(catalog);
  return setup;
}

Experiment toExperiment(const Setup& setup) {
  Experiment experiment = setup.experiment;
  experiment.devices.clear();
  experiment.distribution.fractions.clear();
  const bool explicitShares = experiment.distribution.shares == ShareMode::kExplicit;
  for (const DeviceRow& row : setup.devices) {
    if (!row.ticked) continue;
    experiment.devices.push_back(row.spec);
    if (explicitShares) experiment.distribution.fractions.push_back(row.fraction);
  }
  if (!experiment.devices.empty()) experiment.devices.front().link.reset();
  auto& fractions = experiment.distribution.fractions;
  const double sum = std::accumulate(fractions.begin(), fractions.end(), 0.0);
  if (std::abs(sum - 1.0) < kFractionRounding)
    for (double& fraction : fractions) fraction /= sum;
  return experiment;
}

Setup fromExperiment(const Experiment& experiment, const DeviceCatalog& catalog) {
  Setup setup;
  setup.experiment = experiment;
  setup.experiment.devices.clear();
  setup.experiment.distribution.fractions.clear();
  if (experiment.devices.empty()) {
    setup.devices = defaultRows(catalog);
    return setup;
  }
  const auto& fractions = experiment.distribution.fractions;
  std::vector<DeviceInfo> used;
  for (std::size_t i = 0; i < experiment.devices.size(); ++i) {
    setup.devices.push_back(
        {experiment.devices[i], true, i < fractions.size() ? fractions[i] : 0.0});
    if (const auto info = catalog.describe(experiment.devices[i].id)) used.push_back(*info);
  }
  for (const DeviceRow& row : defaultRows(catalog)) {
    const auto info = catalog.describe(row.spec.id);
    const bool taken = !info || std::any_of(used.begin(), used.end(), [&](const DeviceInfo& other) {
      // An OpenCL CPU runtime shares cores with everything; it stays listed unless it is used.
      return other.id == info->id || (info->id.starts_with("cpu") && shareCores(other, *info));
    });
    if (!taken) setup.devices.push_back({row.spec, false, 0.0});
  }
  return setup;
}

bool sameSetup(const Setup& a, const Setup& b) {
  return a.devices == b.devices && experiment_json(a.experiment) == experiment_json(b.experiment);
}

NetworkSpec networkSpec(const Setup& setup) {
  NetworkSpec spec;
  spec.design = setup.experiment.network;
  const DatasetSpec& dataset = setup.experiment.dataset;
  switch (dataset.kind) {
    case DatasetKind::kSynthetic:
    case DatasetKind::kCifar10:
      break;
    case DatasetKind::kCifar100:
      spec.classes = 100;
      break;
    case DatasetKind::kMnist:
      spec.in_channels = 1;
      spec.in_height = spec.in_width = 28;
      break;
    case DatasetKind::kFolder:
      spec.in_height = spec.in_width = dataset.image_size.value_or(32);
      spec.classes = std::max(2, folderClasses(dataset.path));
      break;
  }
  return spec;
}

std::optional<StepCost> stepCost(const Setup& setup) try {
  const NetworkSpec spec = networkSpec(setup);
  const int batch = setup.experiment.training.batch_size;
  StepCost cost;
  for (const ConvProblem& layer : spec.conv_problems(batch)) {
    // The first layer's input is the pictures, which need no gradient.
    cost.flops += layer.flops() * (cost.mapSizes.empty() ? 2.0 : 3.0);
    cost.parameters += static_cast<double>(layer.weight_size()) + layer.out_channels;
    cost.mapSizes.push_back(layer.out_height() / 2);
  }
  const double fullyConnected = static_cast<double>(spec.features()) * spec.classes;
  cost.flops += 3.0 * 2.0 * fullyConnected * batch;
  cost.parameters += fullyConnected + spec.classes;
  const double images = static_cast<double>(knownTrainCount(setup.experiment).value_or(0)) *
                        spec.in_channels * spec.in_height * spec.in_width;
  const auto ticked = std::count_if(setup.devices.begin(), setup.devices.end(),
                                    [](const DeviceRow& row) { return row.ticked; });
  cost.memoryBytes =
      static_cast<double>(memory_need(spec, batch, std::max(1, static_cast<int>(ticked)),
                                      setup.experiment.distribution.options)) +
      images;
  return cost;
} catch (const Error&) {
  return std::nullopt;
}

std::optional<int> knownTrainCount(const Experiment& experiment) {
  std::optional<int> all;
  switch (experiment.dataset.kind) {
    case DatasetKind::kSynthetic:
      return experiment.dataset.train_limit.value_or(kSyntheticTrainCount);
    case DatasetKind::kCifar10:
    case DatasetKind::kCifar100:
      all = 50000;
      break;
    case DatasetKind::kMnist:
      all = 60000;
      break;
    case DatasetKind::kFolder:
      break;
  }
  if (!all) return experiment.dataset.train_limit;
  return std::min(*all, experiment.dataset.train_limit.value_or(*all));
}

}  // namespace convoy::ui
