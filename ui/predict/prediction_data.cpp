#include "ui/predict/prediction_data.h"

#include <QCoreApplication>
#include <QLocale>
#include <algorithm>
#include <cmath>
#include <limits>
#include <map>

#include "engine/base/error.h"
#include "ui/models/link_text.h"

namespace convoy::ui {
namespace {

constexpr double kAbsent = std::numeric_limits<double>::quiet_NaN();

QString tr(const char* text) {
  return QCoreApplication::translate("PredictPage", text);
}

// What an experiment has along an axis; nothing for an unlimited bandwidth.
std::optional<double> placeOn(PredictAxis axis, const Experiment& experiment) {
  switch (axis) {
    case PredictAxis::Bandwidth:
      return experiment.link.bandwidth_mbps;
    case PredictAxis::Devices:
      return static_cast<double>(experiment.devices.size());
    case PredictAxis::BatchSize:
      break;
  }
  return experiment.training.batch_size;
}

// The experiment with everything left out that does not change a step's time.
Experiment timed(Experiment experiment) {
  experiment.name.clear();
  experiment.note.clear();
  experiment.seed = 1;
  experiment.dataset.train_limit.reset();
  experiment.dataset.test_limit.reset();
  const int batch = experiment.training.batch_size;
  experiment.training = TrainingSpec();
  experiment.training.batch_size = batch;
  experiment.distribution.options = {};
  int number = 0;  // names are unique
  for (DeviceSpec& device : experiment.devices) device.name = std::to_string(++number);
  return experiment;
}

Experiment withOptions(Experiment experiment, const DistributionOptions& options) {
  experiment.distribution.options = options;
  return experiment;
}

std::vector<CurvePoint> pointsOf(const PredictionStudy& study, const Experiment& experiment,
                                 PredictAxis axis, const std::vector<double>& bandwidths) {
  switch (axis) {
    case PredictAxis::Bandwidth:
      return study.over_bandwidth(experiment, bandwidths);
    case PredictAxis::Devices:
      return study.over_devices(experiment);
    case PredictAxis::BatchSize:
      break;
  }
  return study.over_batch(experiment);
}

// The grid of the axis, with the bandwidths of what was measured and of the set-up itself.
std::vector<double> bandwidthsOf(const PredictionRequest& request) {
  std::vector<double> mbps = curve_bandwidths();
  const auto add = [&](const Experiment& experiment) {
    if (experiment.link.bandwidth_mbps) mbps.push_back(*experiment.link.bandwidth_mbps);
  };
  add(request.experiment);
  for (const MeasuredRun& run : request.measured)
    if (comparable(run.experiment, request.experiment, PredictAxis::Bandwidth)) add(run.experiment);
  std::sort(mbps.begin(), mbps.end());
  mbps.erase(std::unique(mbps.begin(), mbps.end()), mbps.end());
  return mbps;
}

PredictedCurves curvesOf(const PredictionStudy& study, const PredictionRequest& request,
                         const BreakEven& even) {
  const Experiment& experiment = request.experiment;
  const DistributionOptions& own = experiment.distribution.options;
  std::vector<double> bandwidths;
  if (request.axis == PredictAxis::Bandwidth) bandwidths = bandwidthsOf(request);
  // x -> [method]; a map, because measured points may repeat an x.
  struct Row {
    std::array<double, kMethods> ms, speedup;
  };
  std::map<double, Row> rows;
  Row absent;
  absent.ms.fill(kAbsent);
  absent.speedup.fill(kAbsent);
  const DistributionOptions options[] = {paper_options(), best_options(), own};
  for (int method = 0; method < kMethods; ++method) {
    if (method == int(Method::Own) && methodOf(own) != Method::Own) continue;
    for (const CurvePoint& point :
         pointsOf(study, withOptions(experiment, options[method]), request.axis, bandwidths)) {
      Row& row = rows.try_emplace(point.x, absent).first->second;
      row.ms[size_t(method)] = point.prediction.step.step_ms;
      row.speedup[size_t(method)] = point.prediction.speedup.value_or(kAbsent);
    }
  }

  std::multimap<double, const MeasuredRun*> measured;
  for (const MeasuredRun& run : request.measured)
    if (const auto x = placeOn(request.axis, run.experiment);
        x && comparable(run.experiment, experiment, request.axis))
      measured.emplace(*x, &run);

  PredictedCurves curves;
  const auto append = [&](double x, const Row& row, const MeasuredRun* run) {
    curves.x.push_back(x);
    for (size_t method = 0; method < kMethods; ++method) {
      curves.methods[method].stepMs.push_back(row.ms[method]);
      curves.methods[method].speedup.push_back(row.speedup[method]);
    }
    curves.measured.stepMs.push_back(run ? run->stepMs : kAbsent);
    curves.measured.speedup.push_back(run ? run->speedup.value_or(kAbsent) : kAbsent);
  };
  for (const auto& [x, row] : rows) {
    const auto [first, last] = measured.equal_range(x);
    if (first == last) append(x, row, nullptr);
    for (auto it = first; it != last; ++it) append(x, row, it->second);
  }
  curves.here = placeOn(request.axis, experiment);
  if (request.axis == PredictAxis::Bandwidth) {
    if (even.kind == BreakEven::Kind::kAt) curves.breakEven = even.bandwidth_mbps;
    // The set-up is everywhere on the axis.
    if (even.kind == BreakEven::Kind::kUnasked) curves.here.reset();
  }
  return curves;
}

std::vector<OptionWorth> optionsOf(const PredictionStudy& study, const Experiment& experiment) {
  using Role = OptionWorth::Role;
  const DistributionOptions& own = experiment.distribution.options;
  std::vector<OptionWorth> result;
  const auto add = [&](Role role, const QString& name, const DistributionOptions& options,
                       bool inUse, const QString& note = {}) {
    const StepPrediction step = study.predict(withOptions(experiment, options)).step;
    result.push_back({role, name, note, inUse, static_cast<double>(step.bytes), step.step_ms});
  };
  const auto alone = [](const auto& change) {
    DistributionOptions options = paper_options();
    change(options);
    return options;
  };
  const Method method = methodOf(own);
  add(Role::Base, tr("Paper's method"), paper_options(), method == Method::Paper);
  add(Role::Option, tr("Resident kernels"),
      alone([](DistributionOptions& options) { options.resident_kernels = true; }),
      own.resident_kernels);
  add(Role::Option, tr("Fused pooling"),
      alone([](DistributionOptions& options) { options.fuse_pooling = true; }), own.fuse_pooling);
  add(Role::Option, tr("Overlap"),
      alone([](DistributionOptions& options) { options.overlap = true; }), own.overlap,
      tr("The same bytes travel, but behind compute."));
  const WireFormat wire = own.wire == WireFormat::kFp32 ? WireFormat::kFp16 : own.wire;
  add(Role::Option, tr("Wire %1").arg(QLatin1String(wire_format_name(wire))),
      alone([wire](DistributionOptions& options) { options.wire = wire; }),
      own.wire != WireFormat::kFp32);
  const SplitMode split = own.split == SplitMode::kKernels ? SplitMode::kAuto : own.split;
  add(Role::Option, tr("Split %1").arg(QLatin1String(split_mode_name(split))),
      alone([split](DistributionOptions& options) { options.split = split; }),
      own.split != SplitMode::kKernels);
  add(Role::Option, tr("Rebalance"),
      alone([](DistributionOptions& options) { options.rebalance = true; }), own.rebalance,
      tr("Pays when a device's speed changes during the run; a prediction takes speeds as "
         "calibrated."));
  add(Role::All, tr("All: Convoy's best"), best_options(), method == Method::Best);
  if (method == Method::Own) add(Role::Own, tr("This set-up"), own, true);
  return result;
}

PredictionCheck checkOf(const PredictionStudy& study, const MeasuredRun& run, PredictAxis axis) {
  const Experiment& experiment = run.experiment;
  const auto& mbps = experiment.link.bandwidth_mbps;
  const QString places[kPredictAxes] = {mbps ? bandwidthText(mbps) : tr("unlimited"),
                                        tr("devices: %1").arg(experiment.devices.size()),
                                        tr("batch %1").arg(experiment.training.batch_size)};
  const QString method = methodName(methodOf(experiment.distribution.options));
  const QString gap = QStringLiteral(", ");
  // Two lines where there is no room for one: not broken elsewhere.
  const auto whole = [](QString text) { return text.replace(u' ', QChar::Nbsp); };
  return {whole(method) + gap + whole(places[int(axis)]),
          method + gap + places[0] + gap + places[1] + gap + places[2], run.stepMs,
          study.predict(experiment).step.step_ms};
}

}  // namespace

bool comparable(const Experiment& a, const Experiment& b, PredictAxis axis) {
  Experiment first = timed(a), second = timed(b);
  switch (axis) {
    case PredictAxis::Bandwidth:
      first.link.bandwidth_mbps = second.link.bandwidth_mbps;
      break;
    case PredictAxis::Devices: {
      const std::size_t common = std::min(first.devices.size(), second.devices.size());
      first.devices.resize(common);
      second.devices.resize(common);
      break;
    }
    case PredictAxis::BatchSize:
      first.training.batch_size = second.training.batch_size;
      break;
  }
  return experiment_json(first) == experiment_json(second);
}

PredictionData calculate(const PredictionStudy& study, const PredictionRequest& request) {
  PredictionData data;
  try {
    data.now = study.predict(request.experiment);
    data.breakEven = study.break_even(request.experiment);
    data.verdict = QString::fromStdString(study.verdict(request.experiment, data.breakEven));
    data.curves = curvesOf(study, request, data.breakEven);
    data.options = optionsOf(study, request.experiment);
    data.batchSizes = study.batch_sizes(request.experiment);
    for (const MeasuredRun& run : request.measured) {
      if (comparable(run.experiment, request.experiment, request.axis))
        data.checks.push_back(checkOf(study, run, request.axis));
    }
  } catch (const Error& error) {
    data = {};
    data.obstacle = QString::fromUtf8(error.what());
    // A sentence among others; a device's id in front stays as it is.
    if (error.where().empty())
      data.obstacle = data.obstacle.left(1).toUpper() + data.obstacle.mid(1);
    if (!data.obstacle.endsWith('.')) data.obstacle += '.';
  }
  return data;
}

}  // namespace convoy::ui
