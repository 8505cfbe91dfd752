#include "ui/models/problems.h"

#include <QCoreApplication>
#include <QDir>
#include <QFileInfo>
#include <QLocale>
#include <algorithm>
#include <cmath>

#include "datasets/fetch.h"
#include "engine/base/error.h"
#include "engine/training/memory_need.h"
#include "ui/models/dataset_folder.h"

namespace convoy::ui {
namespace {

QString tr(const char* text) {
  return QCoreApplication::translate("Problems", text);
}

QString shownName(const DeviceRow& row) {
  return QString::fromStdString(row.spec.name.empty() ? row.spec.id : row.spec.name);
}

class Finder {
 public:
  Finder(const Setup& setup, const DeviceCatalog& catalog)
      : m_setup(setup), m_experiment(setup.experiment), m_catalog(catalog) {}

  QList<Problem> find() {
    checkDevices();
    checkLink();
    checkNetwork();
    checkDataset();
    checkTraining();
    checkShares();
    checkWithEngine();
    return m_problems;
  }

 private:
  void error(const QString& path, const QString& text) {
    m_problems.append({path, Severity::kError, text});
  }
  void warning(const QString& path, const QString& text) {
    m_problems.append({path, Severity::kWarning, text});
  }

  void checkDevices() {
    struct Used {
      QString name;
      DeviceInfo info;
    };
    std::vector<Used> used;
    QStringList names;
    QStringList crowded;  // on cores that others compute on too
    for (const DeviceRow& row : m_setup.devices) {
      if (!row.ticked) continue;
      ++m_deviceCount;
      const QString name = shownName(row);
      if (names.contains(name))
        error("/devices", tr("Two devices are called “%1”. Give each its own name.").arg(name));
      names.append(name);
      if (row.spec.speed > 1.0 && !isVirtual())
        error("/devices",
              tr("%1 has a speed of %2 %: above 100 % needs the virtual clock (Method).")
                  .arg(name, QLocale().toString(100.0 * row.spec.speed, 'g', 4)));
      QString reason;
      const auto info = m_catalog.describe(row.spec.id, &reason);
      if (!info) {
        error("/devices", tr("%1: %2 Untick or remove it.").arg(name, reason));
        continue;
      }
      for (const Used& other : used) {
        if (isVirtual() || !shareCores(other.info, *info)) continue;
        if (other.info.id.starts_with("cpu") && info->id.starts_with("cpu"))
          error("/devices", tr("%1 and %2 use the same cores. Untick one, split the CPU anew, or "
                               "take the virtual clock (Method).")
                                .arg(other.name, name));
        else
          for (const QString& each : {other.name, name})
            if (!crowded.contains(each)) crowded.append(each);
      }
      used.push_back({name, *info});
    }
    if (!crowded.isEmpty())
      warning("/devices", tr("They share cores and slow each other down: %1.")
                              .arg(crowded.join(QStringLiteral(", "))));
    if (m_deviceCount == 0) error("/devices", tr("Tick at least one device."));
  }

  // A slider that moves nothing needs a word.
  void checkLink() {
    const Experiment experiment = toExperiment(m_setup);
    const auto& devices = experiment.devices;
    if (devices.size() < 2) return;
    if (std::all_of(devices.begin() + 1, devices.end(),
                    [](const DeviceSpec& device) { return device.link.has_value(); }))
      m_problems.append(
          {"/link", Severity::kInfo, tr("No device uses this link: all have one of their own.")});
  }

  void checkNetwork() {
    try {
      for (const ConvProblem& layer :
           networkSpec(m_setup).conv_problems(std::max(1, m_experiment.training.batch_size)))
        layer.validate();
    } catch (const Error& failure) {
      error("/network/kernels",
            problemFrom(QString::fromStdString(failure.where()), QString::fromUtf8(failure.what()))
                .text);
      return;
    }
    const auto& kernels = m_experiment.network.kernels;
    for (std::size_t layer = 0; layer < kernels.size(); ++layer)
      if (kernels[layer] < m_deviceCount)
        warning("/network/kernels",
                tr("Layer %1 has fewer kernels (%2) than there are devices (%3): some are left "
                   "out of it.")
                    .arg(layer + 1)
                    .arg(kernels[layer])
                    .arg(m_deviceCount));
    const auto cost = stepCost(m_setup);
    const auto available = available_memory();
    if (cost && available && cost->memoryBytes > static_cast<double>(*available))
      warning("/network/kernels",
              tr("This needs about %1 of memory, and %2 are free. Take a smaller batch or network.")
                  .arg(QLocale().formattedDataSize(static_cast<qint64>(cost->memoryBytes), 1,
                                                   QLocale::DataSizeSIFormat),
                       QLocale().formattedDataSize(static_cast<qint64>(*available), 1,
                                                   QLocale::DataSizeSIFormat)));
  }

  void checkDataset() {
    const DatasetSpec& dataset = m_experiment.dataset;
    const QString path = QString::fromStdString(dataset.path);
    if (dataset.kind == DatasetKind::kSynthetic) return;
    if (dataset.kind == DatasetKind::kFolder && path.isEmpty())
      error("/dataset/path", tr("Choose the folder: one sub-folder of pictures for each class."));
    else if (!path.isEmpty() && !QDir(path).exists())
      error("/dataset/path", tr("There is no folder %1.").arg(QDir::toNativeSeparators(path)));
    else if (dataset.kind == DatasetKind::kFolder)
      return;
    else if (path.isEmpty() &&
             !holdsDataset(QString::fromStdString(default_dataset_folder().string()), dataset.kind))
      error("/dataset/path", tr("Not on this machine yet. Choose its folder, or download it."));
    else if (!path.isEmpty() && !holdsDataset(path, dataset.kind))
      error(
          "/dataset/path",
          tr("The data set is not in this folder; it has no %1.").arg(telltaleFile(dataset.kind)));
  }

  void checkTraining() {
    const TrainingSpec& training = m_experiment.training;
    const auto count = knownTrainCount(m_experiment);
    if (count && training.batch_size > *count)
      error("/training/batch_size",
            tr("A batch of %1 is more than the %2 training pictures.")
                .arg(QLocale().toString(training.batch_size), QLocale().toString(*count)));
    const QString weights = QString::fromStdString(training.initial_weights);
    if (!weights.isEmpty() && !QFileInfo(weights).isFile())
      error("/training/initial_weights", tr("There is no file %1.").arg(weights));
  }

  void checkShares() {
    if (m_experiment.distribution.options.rebalance &&
        m_experiment.distribution.shares != ShareMode::kCalibrated)
      m_problems.append({"/distribution/rebalance", Severity::kInfo,
                         tr("These shares are where the run begins: rebalancing moves them.")});
    if (m_experiment.distribution.shares != ShareMode::kExplicit) return;
    double sum = 0.0;
    for (const DeviceRow& row : m_setup.devices)
      if (row.ticked) sum += row.fraction;
    if (std::abs(sum - 1.0) >= 0.005)
      error("/distribution/shares",
            tr("The ticked devices' shares add up to %1 %, not 100 %. Edit them in the table.")
                .arg(QLocale().toString(100.0 * sum, 'g', 4)));
  }

  // Last, because it stops at the first thing it finds; what has been said already is not repeated.
  void checkWithEngine() {
    const bool failed = std::any_of(m_problems.begin(), m_problems.end(), [](const Problem& p) {
      return p.severity == Severity::kError;
    });
    if (failed) return;
    try {
      validate(toExperiment(m_setup), {});
    } catch (const Error& failure) {
      m_problems.append(
          problemFrom(QString::fromStdString(failure.where()), QString::fromUtf8(failure.what())));
    }
  }

  bool isVirtual() const { return m_experiment.clock == ClockMode::kVirtual; }

  const Setup& m_setup;
  const Experiment& m_experiment;
  const DeviceCatalog& m_catalog;
  int m_deviceCount = 0;
  QList<Problem> m_problems;
};

}  // namespace

QList<Problem> findProblems(const Setup& setup, const DeviceCatalog& catalog) {
  return Finder(setup, catalog).find();
}

QString placedText(const Problem& problem) {
  static const std::pair<const char*, QString> kSections[] = {
      {"/devices", tr("Devices")}, {"/network", tr("Network")}, {"/training", tr("Training")},
      {"/link", tr("Link")},       {"/dataset", tr("Data")},    {"/distribution", tr("Method")},
      {"/baseline", tr("Method")}, {"/clock", tr("Method")}};
  for (const auto& [path, title] : kSections)
    if (problem.path.startsWith(QLatin1String(path))) return tr("%1: %2").arg(title, problem.text);
  return problem.text;
}

bool canRun(const QList<Problem>& problems) {
  return std::none_of(problems.begin(), problems.end(),
                      [](const Problem& problem) { return problem.severity == Severity::kError; });
}

Problem problemFrom(const QString& where, const QString& text) {
  Problem problem;
  // "file: /path", or the path alone; the file's own name may begin with a slash as well.
  const qsizetype behindFile = where.lastIndexOf(QStringLiteral(": /"));
  if (behindFile >= 0)
    problem.path = where.mid(behindFile + 2);
  else if (where.startsWith('/'))
    problem.path = where;
  problem.text = text;
  if (!where.isEmpty() && text.startsWith(where + ": ")) problem.text = text.mid(where.size() + 2);
  if (!problem.text.isEmpty()) problem.text[0] = problem.text[0].toUpper();
  return problem;
}

}  // namespace convoy::ui
