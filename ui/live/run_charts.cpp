#include "ui/live/run_charts.h"

#include <QCoreApplication>
#include <QLocale>
#include <QStringList>
#include <algorithm>
#include <cmath>
#include <limits>

#include "ui/live/run_store.h"
#include "ui/models/device_model.h"

namespace convoy::ui {
namespace {

QString tr(const char* text) {
  return QCoreApplication::translate("RunCharts", text);
}

double orAbsent(std::optional<double> value) {
  return value.value_or(std::numeric_limits<double>::quiet_NaN());
}

// What all charts over steps have in common.
LinesSpec overSteps(const RunStore& store) {
  LinesSpec spec;
  spec.x = {tr("Step"), {}, {}, false};
  spec.run = [&store] { return store.generation(); };
  spec.rows = [&store] { return store.stepCount(); };
  spec.xAt = [&store](int row) { return store.steps().number[size_t(row)]; };
  spec.xEnd = [&store] {
    if (store.running() || store.stepCount() == 0) return double(store.started().steps);
    return store.steps().number.back();
  };
  spec.firstTypicalRow = [&store] {
    const std::vector<char>& warmUp = store.steps().warmUp;
    const auto first = std::find(warmUp.begin(), warmUp.end(), 0);
    return first == warmUp.end() ? 0 : int(first - warmUp.begin());
  };
  return spec;
}

std::function<double(int)> column(const RunStore& store,
                                  std::vector<double> RunStore::Steps::*values,
                                  double factor = 1.0) {
  return
      [&store, values, factor](int row) { return factor * (store.steps().*values)[size_t(row)]; };
}

}  // namespace

BarsSpec deviceTimesSpec(const RunStore& store) {
  BarsSpec spec;
  spec.title = tr("Time of each device");
  spec.description = tr(
      "For every device a bar of its compute, send, receive and wait time in a step, in "
      "milliseconds, the median of the last steps. Where bars are equally long, the devices finish "
      "together.");
  spec.category = {tr("Device"), {}, {}, false};
  spec.value = {tr("Convolutions of a step"), "ms", {}, false};
  spec.categories = [&store] { return store.deviceCount(); };
  spec.categoryAt = [&store](int device) {
    BarCategory category;
    category.name = store.deviceName(device);
    category.style = Theme::instance().device(device);
    if (const auto& lost = store.quarantine(device)) {
      category.detail = outSinceText(*lost, store.started().steps);
      category.brief = tr("out");
    } else if (const std::optional<double> share = store.deviceShare(device)) {
      QStringList kernels;
      for (const int count : store.deviceKernels(device)) kernels << QString::number(count);
      const QString counted = kernels == QStringList{QStringLiteral("1")}
                                  ? tr("1 kernel")
                                  : tr("%1 kernels").arg(kernels.join(" + "));
      category.detail = tr("%1 · %2 %").arg(counted, QLocale().toString(100.0 * *share, 'f', 0));
      category.brief = tr("%1 %").arg(QLocale().toString(100.0 * *share, 'f', 0));
    }
    return category;
  };
  const auto part = [&store](const QString& name, Ink ink, double RunStore::DeviceTimes::*value) {
    return BarSeries{
        name, ink, [&store, value](int device) { return store.recentDeviceTimes(device).*value; }};
  };
  spec.series = {part(tr("Compute"), Ink::Compute, &RunStore::DeviceTimes::computeMs),
                 part(tr("Send"), Ink::Send, &RunStore::DeviceTimes::sendMs),
                 part(tr("Receive"), Ink::Receive, &RunStore::DeviceTimes::receiveMs),
                 part(tr("Wait"), Ink::Wait, &RunStore::DeviceTimes::waitMs)};
  return spec;
}

LinesSpec stepTimeSpec(const RunStore& store) {
  LinesSpec spec = overSteps(store);
  spec.title = tr("Step time");
  spec.description = tr(
      "The time of each training step in milliseconds, split into the slowest device's compute in "
      "the convolutional layers, what those layers took beyond it, and the rest; and the step time "
      "that the calibration predicts. Of long runs the means of neighbouring steps; zoom in to see "
      "each.");
  spec.left = {tr("Step time"), "ms", {}, false};
  spec.stacked = true;
  spec.series = {
      {tr("Convolution"), Ink::Convolution, column(store, &RunStore::Steps::convMs)},
      {tr("Communication"), Ink::Communication, column(store, &RunStore::Steps::commMs)},
      {tr("Rest"), Ink::Rest, column(store, &RunStore::Steps::compMs)},
  };
  spec.references = {
      {tr("Predicted"), Ink::Prediction, {2, 3}, [&store] { return store.predictedStepMs(); }}};
  return spec;
}

LinesSpec speedupSpec(const RunStore& store) {
  LinesSpec spec = overSteps(store);
  spec.title = tr("Speedup");
  spec.description =
      tr("How many times faster than the baseline's single device each step was, with the Amdahl "
         "limit of these devices and the speedup that the calibration predicts.");
  spec.left = {tr("Speedup"), "x", {}, true};
  spec.series = {
      {tr("Each step"), Ink::Speedup, [&store](int row) { return orAbsent(store.speedupAt(row)); },
       LineSeries::Side::Left, true},
      {tr("Median of the last %1").arg(RunStore::kRecentSteps), Ink::Speedup,
       [&store](int row) { return orAbsent(store.recentSpeedupAt(row)); }, LineSeries::Side::Left,
       false, true},
  };
  spec.references = {
      {tr("Baseline"),
       Ink::Baseline,
       {},
       [&store] { return store.baseline() ? std::optional(1.0) : std::nullopt; }},
      {tr("Amdahl limit"), Ink::Limit, {6, 4}, [&store] { return store.amdahlLimit(); }},
      {tr("Predicted"), Ink::Prediction, {2, 3}, [&store] { return store.predictedSpeedup(); }},
  };
  return spec;
}

LinesSpec learningSpec(const RunStore& store) {
  LinesSpec spec = overSteps(store);
  spec.title = tr("Loss and accuracy");
  spec.description = tr("Loss and accuracy of each training batch, and their running means.");
  spec.firstTypicalRow = {};  // warm-up steps learn as the others do
  spec.left = {tr("Loss"), {}, {}, true};
  spec.right = AxisSpec{tr("Accuracy"), "%", 100.0, false};
  using Side = LineSeries::Side;
  spec.series = {
      {tr("Loss of each batch"), Ink::Loss, column(store, &RunStore::Steps::loss), Side::Left,
       true},
      {tr("Loss"), Ink::Loss, column(store, &RunStore::Steps::recentLoss), Side::Left, false, true},
      {tr("Accuracy of each batch"), Ink::Accuracy,
       column(store, &RunStore::Steps::accuracy, 100.0), Side::Right, true},
      {tr("Accuracy"), Ink::Accuracy, column(store, &RunStore::Steps::recentAccuracy, 100.0),
       Side::Right, false, true},
  };
  return spec;
}

LinesSpec sharesSpec(const RunStore& store) {
  LinesSpec spec = overSteps(store);
  spec.title = tr("Shares");
  spec.description = tr(
      "Each device's share of all convolution work in each step, in per cent. It changes where the "
      "shares are rebalanced, and where a device is lost or let in again.");
  spec.firstTypicalRow = {};
  spec.left = {tr("Share"), "%", 100.0, false};
  for (int device = 0; device < store.deviceCount(); ++device) {
    LineSeries series;
    series.name = store.deviceName(device);
    series.device = device;
    series.value = [&store, device](int row) {
      return 100.0 * orAbsent(store.deviceShareAt(device, row));
    };
    spec.series.push_back(series);
  }
  return spec;
}

}  // namespace convoy::ui
